#include <fmt/format.h>

#include "api/core.h"
#include "api/handlers.h"
#include "api/routes.h"
#include "key/digest.h"

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

// Errors: kInvalidArgument unless there is none, or 64 hexadecimal digits.
Result<std::optional<key::Digest>> ReadAnchor(const Query& query) {
  const auto hex = query.Text("anchor");
  if (!hex) return std::nullopt;
  const auto anchor = key::ParseDigest(*hex);
  if (anchor) return anchor;
  return InvalidArgument("anchor", "The parameter \"anchor\" must be 64 hexadecimal digits.");
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
  const auto anchor = ReadAnchor(call.query);
  if (!anchor) return SendError(std::move(call), anchor.error());
  auto& audit = call.core.parts().audit;
  const service::Caller caller = call.caller;
  audit.Verify(caller, *anchor,
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
  audit.Prune(caller, **older_than,
              Completion<int64_t>(std::move(call), [](Call done, int64_t deleted) {
                std::string body;
                ObjectWriter object(body);
                object.Number("deleted", deleted);
                object.End();
                Send(std::move(done), JsonResponse(200, std::move(body)));
              }));
}

}  // namespace p402::api
