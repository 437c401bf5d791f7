#include <algorithm>
#include <utility>

#include "service/fields.h"
#include "service/keys_impl.h"
#include "service/permissions.h"
#include "service/usage.h"

namespace p402::service {
namespace {

struct Query {
  store::KeyPageRequest page;
  bool is_empty = false;  // nothing can match
};

// The cursor is the id of the last key that was looked at: what is created later is above it, and
// what is revoked stays where it is (A3).
Result<Query> ToQuery(const Caller& caller, const ListRequest& request, WallTime now) {
  P402_TRY(CheckPageLimit(request.limit));
  Query query;
  query.page = {
      .account = caller.record->account, .filter = request.filter, .limit = request.limit};
  query.page.filter.now = now;
  if (request.unused_for) query.page.filter.unused_since = now - *request.unused_for;
  if (!request.cursor.empty()) {
    query.page.before = key::KeyId::Parse(request.cursor);
    if (!query.page.before) return InvalidArgument("cursor", "cursor is not one of this list's");
  }
  if (caller.record->mode == key::Mode::kTest) {
    query.is_empty = request.filter.mode && *request.filter.mode != key::Mode::kTest;
    query.page.filter.mode = key::Mode::kTest;
  }
  return query;
}

ListResult ToResult(store::KeyPage page, std::optional<WallTime> unused_since) {
  ListResult result;
  if (page.has_more && !page.keys.empty()) result.next_cursor = page.keys.back().id.ToString();
  result.keys = std::move(page.keys);
  if (unused_since) {
    // The store cannot know the marks that are still in memory.
    std::erase_if(result.keys, [&](const key::Record& record) {
      return record.last_used_at && *record.last_used_at >= *unused_since;
    });
  }
  return result;
}

}  // namespace

void Keys::List(const Caller& caller, ListRequest request, Callback<Result<ListResult>> done) {
  if (auto allowed = RequireScope(caller, scopes::kKeysRead); !allowed) {
    return Refuse(std::move(done), allowed.error());
  }
  auto query = ToQuery(caller, request, impl_->clock.Now());
  if (!query) return Refuse(std::move(done), query.error());
  const auto complete_through = impl_->options.usage == nullptr
                                    ? std::optional<WallTime>()
                                    : impl_->options.usage->complete_through();
  if (query->is_empty) {
    return std::move(done)(ListResult{.keys = {}, .usage_complete_through = complete_through});
  }
  Executor& executor = done.executor();
  auto answer = [impl = impl_, caller, complete_through,
                 unused_since = query->page.filter.unused_since,
                 done = std::move(done)](Result<store::KeyPage> page) mutable {
    if (!page) return Refuse(std::move(done), page.error());
    if (auto still = impl->Recheck(caller, scopes::kKeysRead); !still) {
      return Refuse(std::move(done), still.error());
    }
    for (auto& record : page->keys) impl->AddUsage(record);
    auto result = ToResult(*std::move(page), unused_since);
    result.usage_complete_through = complete_through;
    std::move(done)(std::move(result));
  };
  impl_->store.keys().List(std::move(query->page),
                           Callback<Result<store::KeyPage>>(executor, std::move(answer)));
}

}  // namespace p402::service
