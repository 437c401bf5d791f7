#include "net/head_parser.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <cstring>

#include "net/ascii.h"

namespace p402::net {
namespace {

constexpr size_t kMaxMethodBytes = 32;
constexpr size_t kMaxLengthDigits = 18;  // fits 64 bits
constexpr size_t kVersionBytes = 8;      // "HTTP/1.1"

// What a Host or an authority may hold: RFC 3986's host and port without ',' (two hosts in one
// line) and without user information.
constexpr auto kHostCharacters = MakeCharacterSet("-._~%!$&'()*+;=:[]");

// Controls were refused before; a fragment is never sent, and other bytes must be escaped.
constexpr auto kTargetCharacters = [] {
  std::array<bool, 256> set{};
  for (char c = '!'; c <= '~'; ++c) set[static_cast<unsigned char>(c)] = c != '#';
  return set;
}();

using Problem = std::optional<HeadError>;

HeadError BadFraming(std::string_view detail) {
  return {.refusal = Refusal::kBadFraming, .detail = detail};
}

constexpr uint64_t Repeat(uint8_t byte) {
  return ~uint64_t{0} / 255 * byte;
}

// Marks the lowest control character (0x00 to 0x1f and 0x7f) of eight bytes in its top bit. Higher
// marks may be wrong (a borrow runs upwards), the lowest one never is.
uint64_t MarkControls(uint64_t word) {
  const uint64_t low = (word - Repeat(0x20)) & ~word;
  const uint64_t del = word ^ Repeat(0x7f);
  return (low | ((del - Repeat(0x01)) & ~del)) & Repeat(0x80);
}

// The position of the first control character from `pos` on, or data.size().
size_t FindControl(std::string_view data, size_t pos) {
#ifdef __SSE2__
  const __m128i last_low = _mm_set1_epi8(0x1f);
  const __m128i del = _mm_set1_epi8(0x7f);
  for (; pos + 16 <= data.size(); pos += 16) {
    const auto* const at = reinterpret_cast<const __m128i*>(data.data() + pos);
    const __m128i bytes = _mm_loadu_si128(at);
    const __m128i is_low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_low), bytes);
    const __m128i is_control = _mm_or_si128(is_low, _mm_cmpeq_epi8(bytes, del));
    const auto marks = static_cast<unsigned>(_mm_movemask_epi8(is_control));
    if (marks != 0) return pos + static_cast<size_t>(std::countr_zero(marks));
  }
#endif
  if constexpr (std::endian::native == std::endian::little) {
    for (; pos + 8 <= data.size(); pos += 8) {
      uint64_t word;
      std::memcpy(&word, data.data() + pos, sizeof word);
      if (const uint64_t marks = MarkControls(word); marks != 0) {
        return pos + static_cast<size_t>(std::countr_zero(marks)) / 8;
      }
    }
  }
  while (pos < data.size() && !IsControl(data[pos])) ++pos;
  return pos;
}

bool IsHost(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return kHostCharacters[static_cast<unsigned char>(c)]; });
}

Problem ParseVersion(std::string_view text, Head& out) {
  const bool is_version = text.size() == kVersionBytes && text.starts_with("HTTP/") &&
                          IsDigit(text[5]) && text[6] == '.' && IsDigit(text[7]);
  if (!is_version) return BadFraming("the request line does not end in an HTTP version");
  if (text[5] != '1' || text[7] > '1') {
    return HeadError{.refusal = Refusal::kUnsupportedVersion,
                     .detail = "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  }
  out.version_minor = text[7] - '0';
  return std::nullopt;
}

// "http://host:port/path?query": what follows the authority becomes the target.
Problem ParseAbsoluteForm(Head& out, std::string_view& authority) {
  const size_t scheme = out.target.find("://");
  if (scheme == std::string_view::npos ||
      !(EqualsIgnoreCase(out.target.substr(0, scheme), "http") ||
        EqualsIgnoreCase(out.target.substr(0, scheme), "https"))) {
    return BadFraming("the target is neither a path nor an http URL");
  }
  const std::string_view rest = out.target.substr(scheme + 3);
  const size_t end = std::min(rest.find_first_of("/?"), rest.size());
  authority = rest.substr(0, end);
  if (authority.empty() || !IsHost(authority)) return BadFraming("the target has a bad host");
  out.target = rest.substr(end);
  if (out.target.starts_with('?')) return BadFraming("the target has no path");
  if (out.target.empty()) out.target = out.method == "OPTIONS" ? "*" : "/";
  return std::nullopt;
}

Problem ParseTarget(Head& out, std::string_view& authority) {
  if (out.method == "CONNECT") {
    if (!IsHost(out.target)) return BadFraming("the target of CONNECT is no host");
  } else if (out.target == "*") {
    if (out.method != "OPTIONS") return BadFraming("the target * is for OPTIONS alone");
  } else if (out.target.front() != '/') {
    if (Problem error = ParseAbsoluteForm(out, authority)) return error;
  }
  const size_t question = std::min(out.target.find('?'), out.target.size());
  out.path = out.target.substr(0, question);
  out.query = question < out.target.size() ? out.target.substr(question + 1) : std::string_view();
  return std::nullopt;
}

// `authority` is set if the target has the absolute form.
Problem ParseRequestLine(std::string_view line, const HeadLimits& limits, Head& out,
                         std::string_view& authority) {
  size_t end = 0;
  while (end < line.size() && IsTokenCharacter(line[end])) ++end;
  if (end == 0 || end > kMaxMethodBytes || end == line.size() || line[end] != ' ') {
    return BadFraming("the request line has a bad method");
  }
  out.method = line.substr(0, end);
  const std::string_view rest = line.substr(end + 1);
  size_t space = 0;
  while (space < rest.size() && kTargetCharacters[static_cast<unsigned char>(rest[space])]) ++space;
  const bool is_escaped = space == rest.size() || IsBlank(rest[space]);
  if (!is_escaped) space = std::min(rest.find_first_of(" \t"), rest.size());
  if (space == rest.size() || space == 0 || rest[space] != ' ') {
    return BadFraming("the request line is not METHOD target HTTP/1.1");
  }
  out.target = rest.substr(0, space);
  if (Problem error = ParseVersion(rest.substr(space + 1), out)) return error;
  if (out.target.size() > limits.target_bytes) {
    return HeadError{.refusal = Refusal::kTargetTooLong, .detail = "the URL is too long"};
  }
  if (!is_escaped) return BadFraming("the target has a character that must be escaped");
  return ParseTarget(out, authority);
}

// What the headers that concern framing have said so far.
struct Framing {
  size_t hosts = 0;
  std::string_view host = {};
  size_t lengths = 0;
  size_t encodings = 0;
  std::string_view encoding = {};
  bool close = false;
  bool keep_alive = false;
};

Problem ParseContentLength(std::string_view value, Framing& framing, Head& out) {
  if (++framing.lengths > 1) return BadFraming("more than one Content-Length");
  if (value.empty() || value.size() > kMaxLengthDigits) return BadFraming("bad Content-Length");
  uint64_t length = 0;
  for (const char c : value) {
    if (!IsDigit(c)) return BadFraming("bad Content-Length");
    length = length * 10 + static_cast<uint64_t>(c - '0');
  }
  out.content_length = length;
  out.body = BodyKind::kLength;
  return std::nullopt;
}

void ParseConnection(std::string_view value, Framing& framing) {
  while (!value.empty()) {
    const size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = TrimBlanks(value.substr(0, comma));
    framing.close |= EqualsIgnoreCase(option, "close");
    framing.keep_alive |= EqualsIgnoreCase(option, "keep-alive");
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
}

// Only the headers that change how the request is framed; the rest is the handler's.
Problem NoteFraming(const HeaderView& header, Framing& framing, Head& out) {
  switch (header.name.size()) {
    case 4:
      if (!EqualsIgnoreCase(header.name, "host")) break;
      if (++framing.hosts > 1) return BadFraming("more than one Host");
      framing.host = header.value;
      break;
    case 6:
      if (!EqualsIgnoreCase(header.name, "expect")) break;
      if (!EqualsIgnoreCase(header.value, "100-continue")) {
        return HeadError{.refusal = Refusal::kUnsupportedExpectation,
                         .detail = "the only expectation known is 100-continue"};
      }
      out.expects_continue = true;
      break;
    case 10:
      if (EqualsIgnoreCase(header.name, "connection")) ParseConnection(header.value, framing);
      break;
    case 14:
      if (!EqualsIgnoreCase(header.name, "content-length")) break;
      return ParseContentLength(header.value, framing, out);
    case 17:
      if (!EqualsIgnoreCase(header.name, "transfer-encoding")) break;
      if (++framing.encodings > 1) return BadFraming("more than one Transfer-Encoding");
      framing.encoding = header.value;
      break;
    default:
      break;
  }
  return std::nullopt;
}

Problem ParseHeaderLine(std::string_view line, HeaderView& header) {
  size_t end = 0;
  while (end < line.size() && IsTokenCharacter(line[end])) ++end;
  if (end == 0 || end == line.size() || line[end] != ':') {
    const bool is_folded = !line.empty() && IsBlank(line.front());
    return BadFraming(is_folded ? "a folded header" : "a bad header name");
  }
  header = {.name = line.substr(0, end), .value = TrimBlanks(line.substr(end + 1))};
  return std::nullopt;
}

bool IsCodingList(std::string_view value) {
  return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return IsTokenCharacter(c) || c == ',' || IsBlank(c);
  });
}

Problem CheckEncoding(const Framing& framing, Head& out) {
  if (framing.encodings == 0) return std::nullopt;
  if (framing.lengths != 0) return BadFraming("Content-Length together with Transfer-Encoding");
  if (out.version_minor == 0) return BadFraming("Transfer-Encoding in HTTP/1.0");
  if (EqualsIgnoreCase(framing.encoding, "chunked")) {
    out.body = BodyKind::kChunked;
    return std::nullopt;
  }
  if (!IsCodingList(framing.encoding)) return BadFraming("bad Transfer-Encoding");
  return HeadError{.refusal = Refusal::kUnsupportedTransferEncoding,
                   .detail = "the only Transfer-Encoding known is chunked"};
}

Problem CheckFraming(const Framing& framing, std::string_view authority, Head& out) {
  if (framing.hosts == 0 && out.version_minor == 1) return BadFraming("no Host");
  if (!IsHost(framing.host)) return BadFraming("bad Host");
  if (framing.hosts != 0 && !authority.empty() && !EqualsIgnoreCase(framing.host, authority)) {
    return BadFraming("the Host is not that of the target");
  }
  if (out.version_minor == 0) out.expects_continue = false;  // RFC 9110 section 10.1.1
  out.keep_alive = !framing.close && (out.version_minor == 1 || framing.keep_alive);
  return CheckEncoding(framing, out);
}

HeadEnd Refused(HeadError error) {
  return {.kind = HeadEnd::Kind::kRefused, .error = error};
}

// What can be said about a head that is not complete.
HeadEnd Incomplete(std::string_view data, const HeadLimits& limits, HeadProgress& progress,
                   bool is_new_line) {
  if (data.size() >= limits.head_bytes) {
    return Refused(progress.line_bytes == 0 ? HeadError{.refusal = Refusal::kTargetTooLong,
                                                        .detail = "the URL is too long"}
                                            : HeadError{.refusal = Refusal::kHeadTooLarge,
                                                        .detail = "the header block is too large"});
  }
  if (is_new_line) {  // another protocol may never send the empty line
    Head head;
    std::string_view authority;
    const auto error =
        ParseRequestLine(data.substr(0, progress.line_bytes), limits, head, authority);
    if (error) return Refused(*error);
  }
  return {};
}

}  // namespace

HeadEnd FindHeadEnd(std::string_view data, const HeadLimits& limits, HeadProgress& progress) {
  const bool had_line = progress.line_bytes != 0;
  size_t pos = progress.checked;
  while ((pos = FindControl(data, pos)) < data.size()) {
    if (data[pos] == '\t') {
      ++pos;
      continue;
    }
    if (data[pos] != '\r') {
      return Refused(BadFraming(data[pos] == '\n' ? "a line ends in LF without CR"
                                                  : "a control character in the head"));
    }
    if (pos + 1 == data.size()) break;
    if (data[pos + 1] != '\n') return Refused(BadFraming("a CR without LF"));
    if (pos == 0) return Refused(BadFraming("no request line"));
    if (data[pos - 1] == '\n') {
      const size_t bytes = pos + 2;
      if (bytes <= limits.head_bytes) return {.kind = HeadEnd::Kind::kComplete, .bytes = bytes};
      return Refused(
          {.refusal = Refusal::kHeadTooLarge, .detail = "the header block is too large"});
    }
    if (progress.line_bytes == 0) progress.line_bytes = pos;
    pos += 2;
  }
  progress.checked = pos;
  return Incomplete(data, limits, progress, !had_line && progress.line_bytes != 0);
}

std::optional<HeadError> ParseHead(std::string_view head, const HeadLimits& limits, Head& out) {
  out.headers.clear();
  out.body = BodyKind::kNone;
  out.content_length = 0;
  out.expects_continue = false;

  size_t end = head.find('\r');
  std::string_view authority;
  if (Problem error = ParseRequestLine(head.substr(0, end), limits, out, authority)) return error;

  Framing framing;
  for (size_t pos = end + 2; pos + 2 < head.size(); pos = end + 2) {
    end = head.find('\r', pos);
    HeaderView header;
    if (Problem error = ParseHeaderLine(head.substr(pos, end - pos), header)) return error;
    if (Problem error = NoteFraming(header, framing, out)) return error;
    if (out.headers.size() == limits.header_count) {
      return HeadError{.refusal = Refusal::kHeadTooLarge, .detail = "too many headers"};
    }
    out.headers.push_back(header);
  }
  return CheckFraming(framing, authority, out);
}

}  // namespace p402::net
