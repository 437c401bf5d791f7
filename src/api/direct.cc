#include "api/direct.h"

#include "api/core.h"
#include "base/check.h"

namespace p402::api {
namespace {

constexpr std::string_view kCommonLines =
    "Content-Type: application/json\r\n"
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Request-Id: ";
constexpr size_t kCommonBytes = kCommonLines.size() + RequestId::size() + 2;

// The scratch keeps its size, so that nothing is filled with zeros for each answer.
std::span<char> RoomIn(std::string& scratch, size_t bytes) {
  if (scratch.size() < bytes) scratch.resize(bytes);
  return scratch;
}

void AppendHeader(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

DirectWriter::DirectWriter(Core& core, WallTime now, std::string& scratch)
    : out_(scratch), pen_(RoomIn(scratch, kCommonBytes)) {
  pen_.Text(kCommonLines);
  core.NewRequestId(now).WriteTo(pen_);
  pen_.Text("\r\n");
}

void DirectWriter::Reserve(size_t bytes) {
  const size_t written = pen_.size();
  pen_ = Pen(RoomIn(out_, written + bytes));
  pen_.Take(written);
}

net::DirectAnswer DirectWriter::Finish(int status) const {
  const std::string_view text(out_.data(), pen_.size());
  return {
      .status = status, .header_lines = text.substr(0, body_at_), .body = text.substr(body_at_)};
}

net::DirectAnswer DirectAnswerOf(const net::Response& response, std::string& scratch) {
  P402_CHECK(!response.file.is_open() && !response.is_secret && !response.close);
  scratch.clear();
  if (!response.content_type.empty()) AppendHeader(scratch, "Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) AppendHeader(scratch, name, value);
  const size_t body_at = scratch.size();
  scratch += response.body;
  const std::string_view text = scratch;
  return {.status = response.status,
          .header_lines = text.substr(0, body_at),
          .body = text.substr(body_at)};
}

}  // namespace p402::api
