#include "net/head_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace p402::net {
namespace {

constexpr HeadLimits kLimits;

struct Outcome {
  bool is_complete = false;
  std::optional<HeadError> error;
  Head head;
};

// Gives the head to the parser in parts of `step` bytes.
Outcome ParseInSteps(const std::string& text, size_t step) {
  Outcome outcome;
  HeadProgress progress;
  for (size_t given = std::min(step, text.size());; given = std::min(given + step, text.size())) {
    const std::string_view data = std::string_view(text).substr(0, given);
    const HeadEnd end = FindHeadEnd(data, kLimits, progress);
    if (end.kind == HeadEnd::Kind::kRefused) {
      outcome.error = end.error;
      return outcome;
    }
    if (end.kind == HeadEnd::Kind::kComplete) {
      outcome.is_complete = true;
      outcome.error = ParseHead(std::string_view(text).substr(0, end.bytes), kLimits, outcome.head);
      return outcome;
    }
    if (given == text.size()) return outcome;
  }
}

Outcome Parse(const std::string& text) {
  return ParseInSteps(text, text.size());
}

std::string Get(const std::string& headers) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n";
}
std::string Line(const std::string& line) {
  return line + "\r\nHost: a\r\n\r\n";
}

TEST(HeadParser, TakesARequestApart) {
  const std::string text =
      "POST /api/v2/keys?limit=1&x=? HTTP/1.1\r\nHost: example.org:4020\r\n"
      "X-Empty:\r\nX-Blank: \t \r\nX-Text: \t a b\tc \t\r\ncontent-LENGTH:007\r\n\r\n";
  const Outcome outcome = Parse(text);
  ASSERT_TRUE(outcome.is_complete);
  ASSERT_FALSE(outcome.error);
  EXPECT_EQ(outcome.head.method, "POST");
  EXPECT_EQ(outcome.head.target, "/api/v2/keys?limit=1&x=?");
  EXPECT_EQ(outcome.head.path, "/api/v2/keys");
  EXPECT_EQ(outcome.head.query, "limit=1&x=?");
  EXPECT_EQ(outcome.head.version_minor, 1);
  ASSERT_EQ(outcome.head.headers.size(), 5u);
  EXPECT_EQ(outcome.head.headers[1].value, "");
  EXPECT_EQ(outcome.head.headers[2].value, "");
  EXPECT_EQ(outcome.head.headers[3].name, "X-Text");
  EXPECT_EQ(outcome.head.headers[3].value, "a b\tc");
  EXPECT_EQ(outcome.head.body, BodyKind::kLength);
  EXPECT_EQ(outcome.head.content_length, 7u);
  EXPECT_TRUE(outcome.head.keep_alive);
}

const std::vector<std::string> kAccepted = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "GET / HTTP/1.1\r\nhOsT: [::1]:4020\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
    "M-SEARCH!#$%&'*+.^_`|~ / HTTP/1.1\r\nHost: a\r\n\r\n",
    "get / HTTP/1.1\r\nHost: a\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET HTTPS://A:1/b HTTP/1.1\r\nHost: a:1\r\n\r\n",
    "GET http://a HTTP/1.0\r\n\r\n",
    "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
    "GET //a/../b;c=d/%2e%zz?{}|\"<>\\^` HTTP/1.1\r\nHost: a\r\n\r\n",
    Get("Transfer-Encoding: chunked\r\n"),
    Get("Transfer-Encoding: CHUNKED\r\n"),
    Get("Transfer-Encoding:\tchunked \r\n"),
    Get("Content-Length: 0\r\n"),
    Get("Content-Length: 123456789012345678\r\n"),
    Get("Expect: 100-Continue\r\n"),
    Get("X-Text: caf\xc3\xa9 \xff\r\n"),
    Get("Connection: close, keep-alive, upgrade\r\nConnection: te\r\n"),
};

TEST(HeadParser, B_AcceptsWhatIsCorrect) {
  for (const std::string& text : kAccepted) {
    const Outcome outcome = Parse(text);
    EXPECT_TRUE(outcome.is_complete) << text;
    EXPECT_FALSE(outcome.error) << text << outcome.error->detail;
  }
}

const std::vector<std::string> kBadFraming = {
    // Two parsers could see two bodies.
    Get("Content-Length: 1\r\nContent-Length: 1\r\n"),
    Get("Content-Length: 1\r\nContent-Length: 2\r\n"),
    Get("Content-Length: 1, 1\r\n"),
    Get("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
    Get("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"),
    Get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
    Get("Transfer-Encoding: chunked\r\ntransfer-encoding: identity\r\n"),
    Get("Transfer-Encoding:\r\n"),
    Get("Transfer-Encoding: \"chunked\"\r\n"),
    Get("Transfer-Encoding: chunked;q=1\r\n"),
    Get("Transfer-Encoding : chunked\r\n"),
    "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    Get("Content-Length:\r\n"),
    Get("Content-Length: -1\r\n"),
    Get("Content-Length: +1\r\n"),
    Get("Content-Length: 1_0\r\n"),
    Get("Content-Length: 0x1\r\n"),
    Get("Content-Length: 1 2\r\n"),
    Get("Content-Length: 1;\r\n"),
    Get("Content-Length: 1e1\r\n"),
    Get("Content-Length: 99999999999999999999999\r\n"),
    // Line ends and white space.
    "GET / HTTP/1.1\nHost: a\n\n",
    "GET / HTTP/1.1\r\nHost: a\n\r\n",
    "GET / HTTP/1.1\rHost: a\r\r",
    Get("X: a\rb\r\n"),
    Get("X: a\r\r\n"),
    Get("X: a\nb: c\r\n"),
    Get(std::string("X: a\0b\r\n", 8)),
    Get("X: a\x01\r\n"),
    Get("X: a\x0b\r\n"),
    Get("X: a\x7f\r\n"),
    Get("X: a\r\n b\r\n"),
    Get("X: a\r\n\tb\r\n"),
    Get("X: a\r\n \r\n"),
    "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    // Names.
    Get("X : a\r\n"),
    Get("X\t: a\r\n"),
    Get("X Y: a\r\n"),
    Get(" X: a\r\n"),
    Get(": a\r\n"),
    Get("X\r\n"),
    Get("X(: a\r\n"),
    Get("X\xc3\xa9: a\r\n"),
    // Host.
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
    "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\n\r\n",
    // The request line.
    "\r\n\r\n",
    "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",  // the connection drops one empty line, not the parser
    Line(" GET / HTTP/1.1"),
    Line("GET  / HTTP/1.1"),
    Line("GET\t/ HTTP/1.1"),
    Line("GET / \tHTTP/1.1"),
    Line("GET /  HTTP/1.1"),
    Line("GET / HTTP/1.1 "),
    Line("GET / a HTTP/1.1"),
    Line("GET /"),
    Line("GET"),
    Line("GET HTTP/1.1"),
    Line("/ HTTP/1.1"),
    Line("G@T / HTTP/1.1"),
    Line("G\xc3\xa9T / HTTP/1.1"),
    Line("AVERYLONGMETHODTHATNOBODYEVERMADEUP / HTTP/1.1"),
    Line("GET / HTTQ/1.1"),
    Line("GET / http/1.1"),
    Line("GET / HTTP/1.10"),
    Line("GET / HTTP/1."),
    Line("GET / HTTP/1,1"),
    Line("GET / HTTP/+1.1"),
    Line("GET / HTTP/ 1.1"),
    Line("GET /a#b HTTP/1.1"),
    Line("GET /caf\xc3\xa9 HTTP/1.1"),
    Line("GET a HTTP/1.1"),
    Line("GET * HTTP/1.1"),
    Line("GET ?a HTTP/1.1"),
    Line("GET ftp://a/ HTTP/1.1"),
    Line("GET http:/a/ HTTP/1.1"),
    Line("GET http:///a HTTP/1.1"),
    Line("GET http://u@a/ HTTP/1.1"),
    Line("GET http://a?b HTTP/1.1"),
    Line("CONNECT a/b HTTP/1.1"),
};

TEST(HeadParser, B_RefusesBadFraming) {
  for (const std::string& text : kBadFraming) {
    const Outcome outcome = Parse(text);
    ASSERT_TRUE(outcome.error) << text;
    EXPECT_EQ(outcome.error->refusal, Refusal::kBadFraming) << text;
    EXPECT_FALSE(outcome.error->detail.empty());
  }
}

TEST(HeadParser, B_OtherRefusalsHaveTheirOwnStatus) {
  const std::vector<std::pair<std::string, Refusal>> cases = {
      {Line("GET / HTTP/2.0"), Refusal::kUnsupportedVersion},
      {Line("GET / HTTP/1.2"), Refusal::kUnsupportedVersion},
      {Line("GET / HTTP/0.9"), Refusal::kUnsupportedVersion},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Refusal::kUnsupportedVersion},
      {Get("Transfer-Encoding: gzip, chunked\r\n"), Refusal::kUnsupportedTransferEncoding},
      {Get("Transfer-Encoding: chunked, chunked\r\n"), Refusal::kUnsupportedTransferEncoding},
      {Get("Transfer-Encoding: xchunked\r\n"), Refusal::kUnsupportedTransferEncoding},
      {Get("Transfer-Encoding: identity\r\n"), Refusal::kUnsupportedTransferEncoding},
      {Get("Expect: a-miracle\r\n"), Refusal::kUnsupportedExpectation},
      {Get("Expect: 100-continue, a-miracle\r\n"), Refusal::kUnsupportedExpectation},
  };
  for (const auto& [text, refusal] : cases) {
    const Outcome outcome = Parse(text);
    ASSERT_TRUE(outcome.error) << text;
    EXPECT_EQ(outcome.error->refusal, refusal) << text;
  }
}

// How the bytes are cut into packets changes nothing.
TEST(HeadParser, B_SplitsDoNotMatter) {
  std::vector<std::string> all = kAccepted;
  all.insert(all.end(), kBadFraming.begin(), kBadFraming.end());
  for (const std::string& text : all) {
    const Outcome whole = Parse(text);
    for (size_t step = 1; step < std::min<size_t>(text.size(), 20); ++step) {
      const Outcome parts = ParseInSteps(text, step);
      EXPECT_EQ(parts.error.has_value(), whole.error.has_value()) << step << ": " << text;
      EXPECT_EQ(parts.head.headers.size(),
                parts.error ? parts.head.headers.size() : whole.head.headers.size());
    }
  }
}

// A client that never ends its head must not be waited for.
TEST(HeadParser, B_RefusesBeforeTheHeadIsComplete) {
  EXPECT_TRUE(Parse("GET / HTTP/1.1\n").error);
  EXPECT_TRUE(Parse("GET / HTTP/1.1\rx").error);
  EXPECT_TRUE(Parse(std::string("GET /\0", 6)).error);
  EXPECT_TRUE(Parse("\x16\x03\x01\x02").error);
  EXPECT_TRUE(Parse("SSH-2.0-OpenSSH_9.2\r\n").error);
  EXPECT_FALSE(Parse("GET / HTTP/1.1\r").error);
}

std::string HeadOf(size_t bytes) {
  const std::string rest = "\r\n\r\n";
  std::string text = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  return text + std::string(bytes - text.size() - rest.size(), 'x') + rest;
}

TEST(HeadParser, B_LimitsHoldAtNAndNPlusOne) {
  EXPECT_FALSE(Parse(HeadOf(limits::kHeadBytes)).error);
  for (const size_t step : {size_t{1000000}, size_t{1000}, size_t{7}}) {
    const auto error = ParseInSteps(HeadOf(limits::kHeadBytes + 1), step).error;
    ASSERT_TRUE(error);
    EXPECT_EQ(error->refusal, Refusal::kHeadTooLarge);
  }
  const std::string target = "/" + std::string(limits::kTargetBytes - 1, 'x');
  EXPECT_FALSE(Parse(Line("GET " + target + " HTTP/1.1")).error);
  EXPECT_EQ(Parse(Line("GET " + target + "x HTTP/1.1")).error->refusal, Refusal::kTargetTooLong);
  EXPECT_EQ(Parse("GET /" + std::string(limits::kHeadBytes, 'x')).error->refusal,
            Refusal::kTargetTooLong);
  EXPECT_EQ(Parse("GET / HTTP/1.1\r\nX: " + std::string(limits::kHeadBytes, 'x')).error->refusal,
            Refusal::kHeadTooLarge);
  std::string headers;  // and a Host
  for (size_t i = 1; i < limits::kHeaderCount; ++i) headers += "X:y\r\n";
  EXPECT_FALSE(Parse(Get(headers)).error);
  EXPECT_EQ(Parse(Get(headers + "X:y\r\n")).error->refusal, Refusal::kHeadTooLarge);
}

TEST(HeadParser, AbsoluteFormGivesThePath) {
  const std::string text = "GET http://a:1/b?c HTTP/1.1\r\nHost: a:1\r\n\r\n";
  const Outcome outcome = Parse(text);
  EXPECT_EQ(outcome.head.target, "/b?c");
  EXPECT_EQ(outcome.head.path, "/b");
  EXPECT_EQ(outcome.head.query, "c");
  EXPECT_EQ(Parse(Line("GET http://a HTTP/1.1")).head.path, "/");
  EXPECT_EQ(Parse(Line("OPTIONS http://a HTTP/1.1")).head.path, "*");
}

TEST(HeadParser, ConnectionSaysHowItGoesOn) {
  EXPECT_TRUE(Parse(Get("")).head.keep_alive);
  EXPECT_TRUE(Parse(Get("Connection: closed\r\n")).head.keep_alive);
  EXPECT_FALSE(Parse(Get("Connection: Close\r\n")).head.keep_alive);
  EXPECT_FALSE(Parse(Get("Connection: te,\tclose\r\n")).head.keep_alive);
  EXPECT_FALSE(Parse(Get("Connection: te\r\nConnection: close\r\n")).head.keep_alive);
  EXPECT_FALSE(Parse("GET / HTTP/1.0\r\n\r\n").head.keep_alive);
  EXPECT_TRUE(Parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").head.keep_alive);
  EXPECT_FALSE(Parse("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n").head.keep_alive);
}

TEST(HeadParser, ExpectationsAreForHttp11) {
  EXPECT_TRUE(Parse(Get("Expect: 100-continue\r\n")).head.expects_continue);
  EXPECT_FALSE(Parse("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").head.expects_continue);
}

TEST(HeadParser, FindsControlsAtEveryOffset) {
  for (size_t offset = 0; offset < 40; ++offset) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
      const size_t at = text.size() + offset;
      text += std::string(48, 'x') + "\r\n\r\n";
      text[at] = static_cast<char>(byte);
      const bool is_fine = byte == '\t' || (byte >= 0x20 && byte != 0x7f);
      EXPECT_EQ(!Parse(text).error, is_fine) << offset << " " << byte;
    }
  }
}

}  // namespace
}  // namespace p402::net
