#include "store/sqlite/reconcile.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <tuple>

#include "store/sqlite/commit.h"
#include "store/sqlite/rows.h"

namespace p402::store::sqlite {
namespace {

constexpr size_t kKeysPerTransaction = 1000;

Result<std::vector<Revocation>> ReadRevoked(Database& database) {
  P402_TRY(Query query,
           database.Prepare("SELECT id, account, revoked_at, version FROM keys INDEXED BY "
                            "keys_revoked WHERE revoked_at IS NOT NULL ORDER BY id"));
  std::vector<Revocation> revoked;
  for (;;) {
    P402_TRY(const bool has_row, query.Step());
    if (!has_row) return revoked;
    Revocation revocation{
        .seq = query.Int(3), .key = {}, .account = {}, .revoked_at = query.Time(2)};
    P402_TRY(query.Fixed(0, revocation.key.uuid));
    P402_TRY(query.Fixed(1, revocation.account.uuid));
    revoked.push_back(revocation);
  }
}

Result<Writes> PlanRevocations(Transaction& transaction, std::span<const Revocation> revocations) {
  Writes writes;
  for (const auto& revocation : revocations) {
    P402_TRY(auto record, transaction.GetKey(revocation.key));
    if (!record || record->revoked_at) continue;
    writes.audit.push_back({.account = record->account,
                            .actor = {.kind = key::ActorKind::kSystem, .id = "restore"},
                            .action = "key.revoke",
                            .subject = record->id.ToString(),
                            .details = R"({"reason":"the journal of revocations has it"})"});
    record->revoked_at = revocation.revoked_at;
    if (record->revoke_reason.empty()) record->revoke_reason = "restored from the journal";
    writes.keys.push_back({.record = *std::move(record), .kind = ChangeKind::kRevoke});
  }
  return writes;
}

Result<std::vector<Revocation>> RevokeSome(Database& database, std::span<const Revocation> some,
                                           const Clock& clock, Random& random) {
  Plan plan = [some](Transaction& transaction) { return PlanRevocations(transaction, some); };
  P402_TRY(database.Execute("BEGIN IMMEDIATE"));
  auto applied = RunPlan(database, plan, clock.Now(), random);
  Status status;
  if (applied) {
    status = database.Execute("COMMIT");
  } else {
    status = Failure(applied.error());
  }
  if (!status) {
    database.Rollback();
    return Failure(std::move(status).error());
  }
  return std::move(applied->revocations);
}

}  // namespace

Result<Difference> Compare(Database& database, std::vector<Revocation> journal) {
  P402_TRY(const auto revoked, ReadRevoked(database));
  // The first line of each key is the one that revoked it.
  std::ranges::sort(journal, [](const Revocation& a, const Revocation& b) {
    return std::tie(a.key, a.seq) < std::tie(b.key, b.seq);
  });
  const auto repeated = std::ranges::unique(journal, {}, &Revocation::key);
  journal.erase(repeated.begin(), repeated.end());

  Difference difference;
  std::ranges::set_difference(revoked, journal, std::back_inserter(difference.not_in_journal), {},
                              &Revocation::key, &Revocation::key);
  std::ranges::sort(difference.not_in_journal, {}, &Revocation::seq);
  std::vector<Revocation> unknown;
  std::ranges::set_difference(journal, revoked, std::back_inserter(unknown), {}, &Revocation::key,
                              &Revocation::key);
  for (auto& revocation : unknown) {
    P402_TRY(const auto record, ReadKey(database, revocation.key));
    if (record) difference.not_in_database.push_back(revocation);
  }
  return difference;
}

Result<std::vector<Revocation>> RevokeAgain(Database& database,
                                            const std::vector<Revocation>& revocations,
                                            const Clock& clock, Random& random) {
  std::vector<Revocation> written;
  for (size_t i = 0; i < revocations.size(); i += kKeysPerTransaction) {
    const size_t count = std::min(kKeysPerTransaction, revocations.size() - i);
    P402_TRY(auto some,
             RevokeSome(database, std::span(revocations).subspan(i, count), clock, random));
    written.insert(written.end(), some.begin(), some.end());
  }
  return written;
}

}  // namespace p402::store::sqlite
