#include "bench/load/answer.h"

#include <array>
#include <charconv>
#include <optional>

namespace p402::bench {
namespace {

constexpr std::string_view kVersion = "HTTP/1.1 ";

template <class Number>
std::optional<Number> ReadNumber(std::string_view text) {
  Number number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop == text.data()) return std::nullopt;
  return number;
}

// The spellings that servers use: looking for any would cost more than the rest.
std::optional<size_t> ContentLength(std::string_view head) {
  constexpr std::array<std::string_view, 2> kNames = {"\r\nContent-Length: ",
                                                      "\r\ncontent-length: "};
  for (const auto name : kNames) {
    const size_t at = head.find(name);
    if (at != std::string_view::npos) return ReadNumber<size_t>(head.substr(at + name.size()));
  }
  return std::nullopt;
}

}  // namespace

AnswerState ReadAnswer(std::string_view bytes, Answer& answer) {
  const size_t head_size = bytes.find("\r\n\r\n");
  if (head_size == std::string_view::npos) return AnswerState::kPartial;
  const std::string_view head = bytes.substr(0, head_size + 2);
  if (!head.starts_with(kVersion)) return AnswerState::kBroken;
  const auto status = ReadNumber<int>(head.substr(kVersion.size(), 3));
  const auto length = ContentLength(head);
  if (!status || !length) return AnswerState::kBroken;
  const size_t body_at = head_size + 4;
  if (bytes.size() - body_at < *length) return AnswerState::kPartial;
  answer = {.status = *status, .body = bytes.substr(body_at, *length), .size = body_at + *length};
  return AnswerState::kWhole;
}

}  // namespace p402::bench
