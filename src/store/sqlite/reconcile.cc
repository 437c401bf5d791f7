#include "store/sqlite/reconcile.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <tuple>

#include "key/record.h"
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

// The last restriction of a key that the database knows of.
struct LastRestriction {
  key::KeyId key;
  int64_t seq = 0;
  uint64_t tag = 0;
};

bool IsSame(const Restriction& line, const LastRestriction& last) {
  return line.seq == last.seq && line.tag == last.tag;
}

Result<std::vector<LastRestriction>> ReadLastRestrictions(Database& database) {
  P402_TRY(Query query,
           database.Prepare("SELECT subject, max(seq), tag FROM log INDEXED BY log_restrictions "
                            "WHERE kind = 2 AND shard = 0 GROUP BY subject"));
  std::vector<LastRestriction> found;
  for (;;) {
    P402_TRY(const bool has_row, query.Step());
    if (!has_row) return found;
    const auto key = key::KeyId::Parse(query.Text(0));
    if (!key) return Fail(ErrorCode::kCorrupt, "a restriction of no key in the log");
    found.push_back({.key = *key, .seq = query.Int(1), .tag = static_cast<uint64_t>(query.Int(2))});
  }
}

// As a line of the journal; nullopt: the key was revoked by the same change.
Result<std::optional<Restriction>> ReadRestriction(Database& database, int64_t seq) {
  P402_TRY(const auto changes, ReadLog(database, 0, seq, 1));
  if (changes.empty() || changes[0].seq != seq) {
    return Fail(ErrorCode::kCorrupt, "a gap in the change log");
  }
  P402_TRY(auto record, key::DecodeRecord(changes[0].payload));
  if (record.revoked_at) return std::nullopt;
  record.version = seq;
  return RestrictionOf(record, changes[0].tag, changes[0].at);
}

Result<bool> IsInLog(Database& database, const Restriction& line) {
  P402_TRY(const auto changes, ReadLog(database, 0, line.seq, 1));
  return !changes.empty() && changes[0].seq == line.seq && changes[0].tag == line.tag;
}

bool SayTheSame(const Restriction& a, const Restriction& b) {
  return a.is_disabled == b.is_disabled && a.expires_at == b.expires_at && a.scopes == b.scopes &&
         a.allowed_cidrs == b.allowed_cidrs;
}

struct KeyRestrictions {
  std::vector<Restriction> lines = {};       // in the order of the journal
  std::optional<LastRestriction> last = {};  // the database's
};

// The last line decides, unless the database has it.
Status CompareKey(Database& database, const KeyRestrictions& key, Difference& difference) {
  const auto& [lines, last] = key;
  if (last && !lines.empty() && IsSame(lines.back(), *last)) return {};
  std::optional<Restriction> present;
  if (last) {
    P402_TRY(present, ReadRestriction(database, last->seq));
  }
  if (!lines.empty()) {
    P402_TRY(const bool is_known, IsInLog(database, lines.back()));
    // A restore has applied it, and the line of that is missing yet.
    const bool is_applied =
        present && SayTheSame(*present, lines.back()) &&
        std::ranges::none_of(lines, [&](const auto& line) { return IsSame(line, *key.last); });
    if (!is_known && !is_applied) {
      P402_TRY(const auto record, ReadKey(database, lines.back().key, {}));
      if (record && !record->revoked_at) {
        difference.not_in_database.restrictions.push_back(lines.back());
      }
      return {};
    }
  }
  if (present) difference.not_in_journal.restrictions.push_back(*std::move(present));
  return {};
}

Status CompareRestrictions(Database& database, std::vector<Restriction> journal,
                           Difference& difference) {
  P402_TRY(const auto lasts, ReadLastRestrictions(database));
  std::map<key::KeyId, KeyRestrictions> keys;
  for (auto& line : journal) keys[line.key].lines.push_back(std::move(line));
  for (const auto& last : lasts) keys[last.key].last = last;
  for (const auto& [id, key] : keys) P402_TRY(CompareKey(database, key, difference));
  std::ranges::sort(difference.not_in_journal.restrictions, {}, &Restriction::seq);
  return {};
}

Status CompareRevocations(Database& database, std::vector<Revocation> journal,
                          Difference& difference) {
  P402_TRY(const auto revoked, ReadRevoked(database));
  // The first line of each key is the one that revoked it.
  std::ranges::sort(journal, [](const Revocation& a, const Revocation& b) {
    return std::tie(a.key, a.seq) < std::tie(b.key, b.seq);
  });
  const auto repeated = std::ranges::unique(journal, {}, &Revocation::key);
  journal.erase(repeated.begin(), repeated.end());

  auto& missing = difference.not_in_journal.revocations;
  std::ranges::set_difference(revoked, journal, std::back_inserter(missing), {}, &Revocation::key,
                              &Revocation::key);
  std::ranges::sort(missing, {}, &Revocation::seq);
  std::vector<Revocation> unknown;
  std::ranges::set_difference(journal, revoked, std::back_inserter(unknown), {}, &Revocation::key,
                              &Revocation::key);
  for (auto& revocation : unknown) {
    P402_TRY(const auto record, ReadKey(database, revocation.key, {}));
    if (record) difference.not_in_database.revocations.push_back(revocation);
  }
  return {};
}

AuditRecord AuditOf(const key::Record& record, std::string action) {
  return {.account = record.account,
          .actor = {.kind = key::ActorKind::kSystem, .id = "restore"},
          .action = std::move(action),
          .subject = record.id.ToString(),
          .details = R"({"reason":"the journal of revocations has it"})"};
}

Result<Writes> PlanRevocations(Transaction& transaction, std::span<const Revocation> revocations) {
  Writes writes;
  for (const auto& revocation : revocations) {
    P402_TRY(auto record, transaction.GetKey(revocation.key));
    if (!record || record->revoked_at) continue;
    writes.audit.push_back(AuditOf(*record, "key.revoke"));
    record->revoked_at = revocation.revoked_at;
    if (record->revoke_reason.empty()) record->revoke_reason = "restored from the journal";
    writes.keys.push_back({.record = *std::move(record), .kind = ChangeKind::kRevoke});
  }
  return writes;
}

Result<Writes> PlanRestrictions(Transaction& transaction,
                                std::span<const Restriction> restrictions) {
  Writes writes;
  for (const auto& restriction : restrictions) {
    P402_TRY(auto record, transaction.GetKey(restriction.key));
    if (!record || record->revoked_at) continue;
    writes.audit.push_back(AuditOf(*record, "key.update"));
    record->is_disabled = restriction.is_disabled;
    record->expires_at = restriction.expires_at;
    record->scopes = restriction.scopes;
    record->allowed_cidrs = restriction.allowed_cidrs;
    writes.keys.push_back({.record = *std::move(record), .kind = ChangeKind::kRestrict});
  }
  return writes;
}

Result<JournalLines> RunInTransaction(Database& database, Plan plan, const Clock& clock,
                                      Random& random) {
  P402_TRY(database.Execute("BEGIN IMMEDIATE"));
  Changes changes(database, random, {});
  auto applied = changes.Run(plan, clock.Now());
  Status status;
  if (!applied) status = Failure(applied.error());
  if (status) status = changes.Finish();
  if (status) status = database.Execute("COMMIT");
  if (!status) {
    database.Rollback();
    return Failure(std::move(status).error());
  }
  return std::move(applied->lines);
}

// `plan` makes a change of some of `lines`.
template <class Line>
Status ApplyInParts(Database& database, std::span<const Line> lines,
                    Result<Writes> (*plan)(Transaction&, std::span<const Line>), const Clock& clock,
                    Random& random, JournalLines& written) {
  for (size_t i = 0; i < lines.size(); i += kKeysPerTransaction) {
    const auto some = lines.subspan(i, std::min(kKeysPerTransaction, lines.size() - i));
    P402_TRY(const auto more,
             RunInTransaction(
                 database, [&](Transaction& transaction) { return plan(transaction, some); }, clock,
                 random));
    written.Add(more);
  }
  return {};
}

}  // namespace

Result<Difference> Compare(Database& database, JournalLines journal) {
  Difference difference;
  P402_TRY(CompareRevocations(database, std::move(journal.revocations), difference));
  P402_TRY(CompareRestrictions(database, std::move(journal.restrictions), difference));
  // A key that is to be revoked needs nothing else.
  auto& missing = difference.not_in_database;
  std::erase_if(missing.restrictions, [&](const Restriction& restriction) {
    return std::ranges::binary_search(missing.revocations, restriction.key, {}, &Revocation::key);
  });
  return difference;
}

Result<JournalLines> ApplyAgain(Database& database, const JournalLines& lines, const Clock& clock,
                                Random& random) {
  JournalLines written;
  P402_TRY(ApplyInParts(database, std::span(lines.revocations), &PlanRevocations, clock, random,
                        written));
  P402_TRY(ApplyInParts(database, std::span(lines.restrictions), &PlanRestrictions, clock, random,
                        written));
  return written;
}

}  // namespace p402::store::sqlite
