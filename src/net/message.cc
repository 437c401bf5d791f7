#include "net/message.h"

#include "net/ascii.h"
#include "net/server.h"

namespace p402::net {

std::optional<std::string_view> Request::Header(std::string_view name) const {
  for (const HeaderView& header : headers) {
    if (EqualsIgnoreCase(header.name, name)) return header.value;
  }
  return std::nullopt;
}

HeaderMatch Request::FindHeader(std::string_view name) const {
  HeaderMatch match;
  for (const HeaderView& header : headers) {
    if (!EqualsIgnoreCase(header.name, name)) continue;
    if (match.count++ == 0) match.value = header.value;
  }
  return match;
}

int RefusalStatus(Refusal refusal) {
  switch (refusal) {
    case Refusal::kBadFraming:
      return 400;
    case Refusal::kHeadTooLarge:
      return 431;
    case Refusal::kTargetTooLong:
      return 414;
    case Refusal::kBodyTooLarge:
      return 413;
    case Refusal::kUnsupportedVersion:
      return 505;
    case Refusal::kUnsupportedExpectation:
      return 417;
    case Refusal::kUnsupportedTransferEncoding:
      return 501;
    case Refusal::kOverloaded:
      return 503;
  }
  return 500;
}

Responder::~Responder() {
  if (target_) target_->Send(Response{.status = 500, .close = true});
}

void Responder::Send(Response response) && {
  const std::shared_ptr<Target> target = std::move(target_);
  target->Send(std::move(response));
}

}  // namespace p402::net
