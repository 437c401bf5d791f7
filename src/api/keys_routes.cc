#include <fmt/format.h>

#include "api/bearer.h"
#include "api/core.h"
#include "api/handlers.h"
#include "api/routes.h"
#include "key/digest.h"

namespace p402::api {
namespace {

constexpr Millis kDefaultGrace = std::chrono::hours(24);

service::Wait ReadWait(const net::Request& request) {
  return PrefersAsync(request) ? service::Wait::kCommitted : service::Wait::kEnforced;
}

// The answer to a change: `done_status`, or 202 while it is not obeyed everywhere (R1).
net::Response ChangeResponse(int done_status, Answered answered, std::string body) {
  net::Response response = JsonResponse(done_status, std::move(body));
  if (answered == Answered::kCommitted) {
    response.status = 202;
    response.headers.emplace_back("Preference-Applied", "respond-async");
  }
  return response;
}

Answered AnsweredBy(const service::Enforcement& enforcement) {
  return enforcement.is_enforced ? Answered::kEnforced : Answered::kCommitted;
}

void SendCreated(Call call, const service::CreatedKey& created) {
  const Answered answered = AnsweredBy(created.enforcement);
  const WallTime now = call.core.parts().clock.Now();
  net::Response response = ChangeResponse(201, answered, CreatedKeyJson(created, answered, now));
  response.is_secret = true;
  response.headers.emplace_back("Location", "/api/v2/keys/" + created.record.id.ToString());
  Send(std::move(call), std::move(response));
}

void SendUpdated(Call call, const service::KeyResult& result) {
  const Answered answered = AnsweredBy(result.enforcement);
  std::string body = UpdatedKeyJson(result, answered, call.core.parts().clock.Now());
  Send(std::move(call), ChangeResponse(200, answered, std::move(body)));
}

void SendRevoked(Call call, const service::RevokeResult& result) {
  const Answered answered = AnsweredBy(result.enforcement);
  Send(std::move(call), ChangeResponse(200, answered, RevokedJson(result, answered)));
}

Result<std::optional<key::Mode>> ReadMode(const std::optional<std::string_view>& name) {
  if (!name) return std::nullopt;
  const auto mode = key::ParseMode(*name);
  if (!mode) return InvalidArgument("mode", "\"mode\" must be live or test.");
  return *mode;
}

// A text that null empties.
Result<std::optional<std::string>> ReadClearableText(const JsonBody& body, std::string_view name) {
  if (body.IsNull(name)) return std::string();
  P402_TRY(const auto text, body.Text(name));
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

Result<service::CreateRequest> ReadCreate(const JsonBody& body, const net::Request& request) {
  service::CreateRequest create;
  P402_TRY(create.name, body.RequiredText("name"));
  P402_TRY(const auto mode_name, body.Text("mode"));
  P402_TRY(create.mode, ReadMode(mode_name));
  P402_TRY(create.scopes, body.Texts("scopes"));
  P402_TRY(create.expires_at, body.Time("expires_at"));
  P402_TRY(const auto metadata, body.Object("metadata"));
  create.metadata = metadata.value_or("");
  P402_TRY(const auto owner, ReadClearableText(body, "owner"));
  create.owner = owner.value_or("");
  // A script whose variable is empty must not get a key with all of its own scopes.
  if (create.owner.empty() && body.Has("owner") && !body.IsNull("owner")) {
    return InvalidArgument(
        "owner", fmt::format("\"owner\" must be 1 to {} bytes, or null.", limits::kOwnerBytes));
  }
  P402_TRY(const auto cidrs, body.Texts("allowed_cidrs"));
  create.allowed_cidrs = cidrs.value_or(std::vector<std::string>{});
  P402_TRY(create.idempotency_key, ReadIdempotencyKey(request));
  create.request_digest = key::DigestOf(body.Canonical());
  return create;
}

Result<service::UpdateRequest> ReadUpdate(const JsonBody& body) {
  service::UpdateRequest update;
  P402_TRY(const auto name, body.Text("name"));
  if (name) update.name = *name;
  P402_TRY(update.metadata, body.Object("metadata"));
  if (body.IsNull("metadata")) update.metadata = "";
  P402_TRY(update.owner, ReadClearableText(body, "owner"));
  P402_TRY(update.scopes, body.Texts("scopes"));
  P402_TRY(update.disabled, body.Bool("disabled"));
  P402_TRY(const auto expires_at, body.Time("expires_at"));
  if (body.Has("expires_at")) update.expires_at.emplace(expires_at);
  if (body.IsNull("allowed_cidrs")) {
    update.allowed_cidrs.emplace();
  } else {
    P402_TRY(update.allowed_cidrs, body.Texts("allowed_cidrs"));
  }
  return update;
}

Result<service::ListRequest> ReadList(const Query& query) {
  service::ListRequest list;
  P402_TRY(list.limit, query.Number("limit", limits::kPageDefault, 1, limits::kPageMax));
  list.cursor = query.Text("cursor").value_or("");
  if (const auto status = query.Text("status")) {
    list.filter.status = key::ParseKeyStatus(*status);
    if (!list.filter.status) {
      return InvalidArgument(
          "status", "The parameter \"status\" must be active, disabled, expired or revoked.");
    }
  }
  if (const auto mode = query.Text("mode")) {
    list.filter.mode = key::ParseMode(*mode);
    if (!list.filter.mode) {
      return InvalidArgument("mode", "The parameter \"mode\" must be live or test.");
    }
  }
  list.filter.owner = query.Text("owner");
  list.filter.prefix = query.Text("prefix");
  list.filter.name = query.Text("name");
  P402_TRY(list.unused_for, query.Duration("unused_for"));
  P402_TRY(list.filter.expires_before, query.Time("expires_before"));
  return list;
}

// The route has matched, so it is a key id.
key::KeyId IdOf(const Call& call) {
  return key::KeyId::Parse(call.parameter).value_or(key::KeyId{});
}

void SendKey(Call call, const key::Record& record) {
  const WallTime now = call.core.parts().clock.Now();
  SendRead(std::move(call), JsonResponse(200, KeyJson(record, now)));
}

}  // namespace

void CreateKey(Call call, const net::Request& request) {
  auto create = ReadCreate(call.body, request);
  if (!create) return SendError(std::move(call), create.error());
  const service::Wait wait = ReadWait(request);
  auto& keys = call.core.parts().keys;
  const service::Caller caller = call.caller;
  keys.Create(caller, *std::move(create), wait,
              Completion<service::CreatedKey>(std::move(call), SendCreated));
}

void ListKeys(Call call, const net::Request&) {
  auto list = ReadList(call.query);
  if (!list) return SendError(std::move(call), list.error());
  auto& keys = call.core.parts().keys;
  const service::Caller caller = call.caller;
  keys.List(caller, *std::move(list),
            Completion<service::ListResult>(
                std::move(call), [](Call done, const service::ListResult& result) {
                  const WallTime now = done.core.parts().clock.Now();
                  net::Response response = JsonResponse(200, KeyListJson(result, now));
                  if (result.next_cursor) {
                    response.headers.emplace_back(
                        "Link", fmt::format(R"(</api/v2/keys?{}>; rel="next")",
                                            done.query.WithCursor(*result.next_cursor)));
                  }
                  SendRead(std::move(done), std::move(response));
                }));
}

void GetOwnKey(Call call, const net::Request&) {
  auto& keys = call.core.parts().keys;
  const service::Caller caller = call.caller;
  keys.GetSelf(caller, Completion<key::Record>(std::move(call), SendKey));
}

void GetKey(Call call, const net::Request&) {
  const key::KeyId id = IdOf(call);
  auto& keys = call.core.parts().keys;
  const service::Caller caller = call.caller;
  keys.Get(caller, id, Completion<key::Record>(std::move(call), SendKey));
}

void UpdateKey(Call call, const net::Request& request) {
  const key::KeyId id = IdOf(call);
  auto update = ReadUpdate(call.body);
  if (!update) return SendError(std::move(call), update.error());
  const service::Wait wait = ReadWait(request);
  auto& keys = call.core.parts().keys;
  const service::Caller caller = call.caller;
  keys.Update(caller, id, *std::move(update), wait,
              Completion<service::KeyResult>(std::move(call), SendUpdated));
}

void RevokeKey(Call call, const net::Request& request) {
  const key::KeyId id = IdOf(call);
  const auto reason = ReadClearableText(call.body, "reason");
  if (!reason) return SendError(std::move(call), reason.error());
  const auto cascade = call.query.Flag("cascade");
  if (!cascade) return SendError(std::move(call), cascade.error());
  const service::Wait wait = ReadWait(request);
  auto& keys = call.core.parts().keys;
  const service::Caller caller = call.caller;
  keys.Revoke(caller, id, {.reason = reason->value_or(""), .cascade = *cascade}, wait,
              Completion<service::RevokeResult>(std::move(call), SendRevoked));
}

void RotateKey(Call call, const net::Request& request) {
  const key::KeyId id = IdOf(call);
  const auto grace = call.body.Duration("grace");
  if (!grace) return SendError(std::move(call), grace.error());
  const service::Wait wait = ReadWait(request);
  auto& keys = call.core.parts().keys;
  const service::Caller caller = call.caller;
  keys.Rotate(caller, id, grace->value_or(kDefaultGrace), wait,
              Completion<service::CreatedKey>(std::move(call), SendCreated));
}

}  // namespace p402::api
