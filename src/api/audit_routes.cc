#include <fmt/format.h>

#include <algorithm>

#include "api/core.h"
#include "api/handlers.h"
#include "api/routes.h"

namespace p402::api {
namespace {

Result<service::AuditListRequest> ReadList(const Query& query) {
  service::AuditListRequest list;
  P402_TRY(list.limit, query.Number("limit", limits::kPageDefault, 1, limits::kPageMax));
  list.cursor = query.Text("cursor").value_or("");
  list.subject = query.Text("subject");
  list.action = query.Text("action");
  return list;
}

bool IsHexDigest(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

}  // namespace

void ListAudit(Call call, const net::Request&) {
  auto list = ReadList(call.query);
  if (!list) return SendError(std::move(call), list.error());
  auto& audit = call.core.parts().audit;
  const service::Caller caller = call.caller;
  audit.List(caller, *std::move(list),
             Completion<service::AuditListResult>(
                 std::move(call), [](Call done, const service::AuditListResult& result) {
                   net::Response response = JsonResponse(200, AuditListJson(result));
                   if (result.next_cursor) {
                     response.headers.emplace_back(
                         "Link", fmt::format(R"(</api/v2/audit?{}>; rel="next")",
                                             done.query.WithCursor(*result.next_cursor)));
                   }
                   SendRead(std::move(done), std::move(response));
                 }));
}

void VerifyAudit(Call call, const net::Request&) {
  auto anchor = call.query.Text("anchor");
  if (anchor && !IsHexDigest(*anchor)) {
    const Failure bad =
        InvalidArgument("anchor", "The parameter \"anchor\" must be 64 hexadecimal digits.");
    return SendError(std::move(call), bad.error());
  }
  auto& audit = call.core.parts().audit;
  const service::Caller caller = call.caller;
  audit.Verify(caller, anchor.value_or(""),
               Completion<store::AuditVerdict>(
                   std::move(call), [](Call done, const store::AuditVerdict& verdict) {
                     SendRead(std::move(done), JsonResponse(200, AuditVerdictJson(verdict)));
                   }));
}

void AnchorAudit(Call call, const net::Request&) {
  auto& audit = call.core.parts().audit;
  const service::Caller caller = call.caller;
  audit.Anchor(caller, Completion<store::AuditHead>(
                           std::move(call), [](Call done, const store::AuditHead& head) {
                             SendRead(std::move(done), JsonResponse(200, AuditHeadJson(head)));
                           }));
}

void PruneAudit(Call call, const net::Request&) {
  const auto older_than = call.body.Duration("older_than");
  if (!older_than) return SendError(std::move(call), older_than.error());
  if (!*older_than) {
    const Failure missing = InvalidArgument("older_than", "\"older_than\" is required.");
    return SendError(std::move(call), missing.error());
  }
  auto& audit = call.core.parts().audit;
  const service::Caller caller = call.caller;
  const WallTime before = call.core.parts().clock.Now() - **older_than;
  audit.Prune(caller, before, Completion<int64_t>(std::move(call), [](Call done, int64_t deleted) {
                std::string body;
                ObjectWriter object(body);
                object.Number("deleted", deleted);
                object.End();
                Send(std::move(done), JsonResponse(200, std::move(body)));
              }));
}

}  // namespace p402::api
