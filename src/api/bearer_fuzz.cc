#include <cstddef>
#include <cstdint>
#include <vector>

#include "api/bearer.h"
#include "api/client_address.h"
#include "base/check.h"
#include "base/limits.h"
#include "net/ascii.h"

namespace {

// Lines "name: value", one header each.
std::vector<p402::net::HeaderView> HeadersOf(std::string_view text) {
  std::vector<p402::net::HeaderView> headers;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + (line.size() < text.size() ? 1 : 0));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    headers.push_back(
        {.name = line.substr(0, colon), .value = p402::net::TrimBlanks(line.substr(colon + 1))});
  }
  return headers;
}

}  // namespace

// What is read out of headers.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace p402::api;
  const auto headers = HeadersOf({reinterpret_cast<const char*>(data), size});
  p402::net::Request request;
  request.headers = headers;
  for (const auto accepted : {ApiKeyHeader::kIgnored, ApiKeyHeader::kAccepted}) {
    const auto presented = ReadPresented(request, accepted);
    const bool is_twice = request.FindHeader("authorization").count > 1;
    P402_CHECK(!is_twice || !presented.has_value());
    P402_CHECK(!presented || presented->is_present || presented->token.empty());
  }
  const auto key = ReadIdempotencyKey(request);
  P402_CHECK(!key || !*key ||
             ((*key)->size() <= p402::limits::kIdempotencyKeyBytes && !(*key)->empty()));
  (void)PrefersAsync(request);
  (void)CheckContentType(request, false).has_value();
  (void)CheckContentType(request, true).has_value();
  const ClientAddress client({*p402::key::Cidr::Parse("10.0.0.0/8")}, true);
  for (const std::string_view peer : {"10.0.0.1", "192.0.2.1", "unix", "nonsense"}) {
    request.peer = peer;
    const auto address = client.Of(request);
    P402_CHECK(peer != "192.0.2.1" || (address && address->ToString() == peer));
    P402_CHECK(peer != "nonsense" || !address);
  }
  return 0;
}
