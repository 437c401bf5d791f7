#include "net/answer_writer.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <string>

#include "base/check.h"
#include "base/pen.h"
#include "net/ascii.h"

namespace p402::net {
namespace {

constexpr std::string_view kVersion = "HTTP/1.1 ";

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "200 OK\r\n";
    case 201:
      return "201 Created\r\n";
    case 202:
      return "202 Accepted\r\n";
    case 204:
      return "204 No Content\r\n";
    case 304:
      return "304 Not Modified\r\n";
    case 400:
      return "400 Bad Request\r\n";
    case 401:
      return "401 Unauthorized\r\n";
    case 403:
      return "403 Forbidden\r\n";
    case 404:
      return "404 Not Found\r\n";
    case 405:
      return "405 Method Not Allowed\r\n";
    case 409:
      return "409 Conflict\r\n";
    case 413:
      return "413 Content Too Large\r\n";
    case 414:
      return "414 URI Too Long\r\n";
    case 415:
      return "415 Unsupported Media Type\r\n";
    case 417:
      return "417 Expectation Failed\r\n";
    case 422:
      return "422 Unprocessable Content\r\n";
    case 429:
      return "429 Too Many Requests\r\n";
    case 431:
      return "431 Request Header Fields Too Large\r\n";
    case 500:
      return "500 Internal Server Error\r\n";
    case 501:
      return "501 Not Implemented\r\n";
    case 503:
      return "503 Service Unavailable\r\n";
    case 505:
      return "505 HTTP Version Not Supported\r\n";
    default:
      return {};
  }
}

// A value that would end its line would let its origin write headers of its own.
void WriteHeaderText(Pen& pen, std::string_view text) {
  char* at = pen.Take(text.size());
  for (const char c : text) *at++ = IsControl(c) && c != '\t' ? ' ' : c;
}

// What is enough for the lines that the server adds: status, Date, Content-Length, Connection.
constexpr size_t kFrontBytes = 256;

size_t HeaderBytes(const Response& response) {
  size_t bytes = sizeof "Content-Type: \r\n" + response.content_type.size();
  for (const auto& [name, value] : response.headers) bytes += name.size() + value.size() + 4;
  return bytes;
}

void WriteStatusLine(int status, Pen& pen) {
  pen.Text(kVersion);
  if (const std::string_view phrase = ReasonPhrase(status); !phrase.empty()) {
    pen.Text(phrase);
    return;
  }
  pen.Number(static_cast<uint64_t>(status));
  pen.Text(" \r\n");
}

void WriteFront(int status, uint64_t body_bytes, const AnswerFrame& frame, Pen& pen) {
  P402_CHECK(status >= 200 && status <= 999);
  WriteStatusLine(status, pen);
  pen.Text(frame.date_line);
  if (status != 204 && status != 304) {
    pen.Text("Content-Length: ");
    pen.Number(body_bytes);
    pen.Text("\r\n");
  }
  if (frame.close) {
    pen.Text("Connection: close\r\n");
  } else if (frame.keep_alive) {
    pen.Text("Connection: keep-alive\r\n");
  }
}

}  // namespace

bool HasBody(int status, bool is_head) {
  return !is_head && status != 204 && status != 304;
}

void AppendAnswer(const Response& response, const AnswerFrame& frame, Buffer& out) {
  const bool is_file = response.file.is_open();
  const std::string_view body = HasBody(response.status, frame.is_head) && !is_file
                                    ? std::string_view(response.body)
                                    : std::string_view();
  // One reservation before the first byte: a secret body is never copied by a growing buffer.
  const auto room = out.Room(kFrontBytes + HeaderBytes(response) + body.size());
  Pen pen(room);
  WriteFront(response.status, is_file ? response.file_bytes : response.body.size(), frame, pen);
  if (!response.content_type.empty()) {
    pen.Text("Content-Type: ");
    WriteHeaderText(pen, response.content_type);
    pen.Text("\r\n");
  }
  for (const auto& [name, value] : response.headers) {
    WriteHeaderText(pen, name);
    pen.Text(": ");
    WriteHeaderText(pen, value);
    pen.Text("\r\n");
  }
  pen.Text("\r\n");
  pen.Text(body);
  out.Commit(pen.size());
}

void AppendAnswer(const DirectAnswer& answer, const AnswerFrame& frame, Buffer& out) {
  P402_CHECK(answer.header_lines.empty() || answer.header_lines.ends_with("\r\n"));
  const std::string_view body =
      HasBody(answer.status, frame.is_head) ? answer.body : std::string_view();
  const auto room = out.Room(kFrontBytes + answer.header_lines.size() + body.size());
  Pen pen(room);
  WriteFront(answer.status, answer.body.size(), frame, pen);
  pen.Text(answer.header_lines);
  pen.Text("\r\n");
  pen.Text(body);
  out.Commit(pen.size());
}

std::string FormatDateLine(WallTime now) {
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(now - day));
  return fmt::format(
      "Date: {}, {:02} {} {:04} {:02}:{:02}:{:02} GMT\r\n",
      kDays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
      kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
      time.hours().count(), time.minutes().count(), time.seconds().count());
}

}  // namespace p402::net
