#include <cstddef>
#include <cstdint>

#include "api/query.h"
#include "api/routes.h"
#include "base/check.h"
#include "base/text.h"

// Targets: a query that is taken survives the way into a Link header and back; routing never reads
// past a path.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using p402::api::Query;
  constexpr std::string_view kAllowed =
      "limit cursor status name unused_for expires_before cascade";
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t mark = text.find('?');
  const auto match = p402::api::FindRoute("GET", text.substr(0, mark));
  P402_CHECK(match.route == nullptr || match.allow.empty());
  const auto query =
      Query::Parse(mark == std::string_view::npos ? text : text.substr(mark + 1), kAllowed);
  if (!query) {
    P402_CHECK(p402::IsValidUtf8(query.error().public_message));
    return 0;
  }
  (void)query->Number("limit", 100, 1, 1000).has_value();
  (void)query->Flag("cascade").has_value();
  (void)query->Duration("unused_for").has_value();
  (void)query->Time("expires_before").has_value();
  const std::string cursor = query->Text("cursor").value_or("none");
  const auto next = Query::Parse(query->WithCursor(cursor), kAllowed);
  P402_CHECK(next.has_value());
  P402_CHECK(next->Text("cursor") == cursor);
  P402_CHECK(next->Text("name") == query->Text("name"));
  P402_CHECK(next->WithCursor(cursor) == query->WithCursor(cursor));
  return 0;
}
