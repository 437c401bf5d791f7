#include "store/sqlite/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace p402::store::sqlite {
namespace {

// The usage table is joined by each query, except the scan, which walks it beside the keys.
#define P402_KEY_COLUMNS                                                                        \
  "k.id, k.account, k.digest, k.prefix, k.name, k.mode, k.scopes, k.allowed_cidrs, k.owner, "   \
  "k.metadata, k.created_at, k.created_by_kind, k.created_by_id, k.expires_at, k.is_disabled, " \
  "k.revoked_at, k.revoke_reason, k.rotated_from, k.version"
#define P402_SELECT_KEYS "SELECT " P402_KEY_COLUMNS ", u.last_used_at FROM keys k "
#define P402_JOIN_USAGE "LEFT JOIN usage u ON u.id = k.id "

constexpr int64_t kNoLimit = -1;         // SQL's
constexpr size_t kScanReserve = 10'000;  // records; a limit may be anything

Result<key::CidrSet> ParseCidrs(std::string_view text) {
  if (text.empty()) return key::CidrSet();
  std::vector<std::string> cidrs;
  std::istringstream stream{std::string(text)};
  for (std::string cidr; stream >> cidr;) cidrs.push_back(cidr);
  return key::CidrSet::Parse(cidrs);
}

std::string CidrText(const key::CidrSet& cidrs) {
  return fmt::format("{}", fmt::join(cidrs.ToStrings(), " "));
}

Failure Damaged(const key::KeyId& id, std::string_view what) {
  return Fail(ErrorCode::kCorrupt, fmt::format("the row of {}: {}", id.ToString(), what));
}

Status ToEnums(const Query& row, key::Record& record) {
  const int64_t mode = row.Int(5);
  if (mode != 1 && mode != 2) return Damaged(record.id, "mode");
  record.mode = static_cast<key::Mode>(mode);
  const int64_t kind = row.Int(11);
  if (kind < 1 || kind > 3) return Damaged(record.id, "created_by");
  record.created_by = {.kind = static_cast<key::ActorKind>(kind), .id = std::string(row.Text(12))};
  return {};
}

// `record` is a new one: filled where it lies, because moving one costs as much as reading one.
Status Fill(key::Record& record, const Query& row) {
  P402_TRY(row.Fixed(0, record.id.uuid));
  P402_TRY(row.Fixed(1, record.account.uuid));
  P402_TRY(row.Fixed(2, record.digest));
  record.prefix = row.Text(3);
  record.name = row.Text(4);
  P402_TRY(ToEnums(row, record));
  auto scopes = key::ScopeSet::ParseText(row.Text(6));
  if (!scopes) return Damaged(record.id, "scopes");
  record.scopes = *std::move(scopes);
  auto cidrs = ParseCidrs(row.Text(7));
  if (!cidrs) return Damaged(record.id, "allowed_cidrs");
  record.allowed_cidrs = *std::move(cidrs);
  record.owner = row.Text(8);
  record.metadata = row.Text(9);
  record.created_at = row.Time(10);
  record.expires_at = row.OptionalTime(13);
  record.is_disabled = row.Int(14) != 0;
  record.revoked_at = row.OptionalTime(15);
  record.revoke_reason = row.Text(16);
  if (!row.IsNull(17)) P402_TRY(row.Fixed(17, record.rotated_from.emplace().uuid));
  record.version = row.Int(18);
  record.last_used_at = row.OptionalTime(19);
  return {};
}

// At most `limit`, without those that `marks` show to be used since `unused_since`.
Result<std::vector<key::Record>> ToRecords(Query& query, const LoggedMarks& marks,
                                           std::optional<WallTime> unused_since, size_t limit) {
  std::vector<key::Record> records;
  while (records.size() < limit) {
    P402_TRY(const bool has_row, query.Step());
    if (!has_row) break;
    key::KeyId id;
    P402_TRY(query.Fixed(0, id.uuid));
    const auto mark = marks.Of(id);
    if (unused_since && mark && *mark >= *unused_since) continue;
    P402_TRY(Fill(records.emplace_back(), query));
    marks.AddTo(records.back());
  }
  return records;
}

// The marks in the order of ids, walked beside the keys: a search for each costs more than its row.
class MarkWalk {
 public:
  // `query` answers id and time, ascending by id.
  explicit MarkWalk(Query query) : query_(std::move(query)) {}

  // The mark of `id`. Requires: ids ascend from call to call.
  Result<std::optional<WallTime>> Of(const key::KeyId& id) {
    while (!is_at_end_ && id_ < id) {
      P402_TRY(const bool has_row, query_.Step());
      is_at_end_ = !has_row;
      if (has_row) P402_TRY(query_.Fixed(0, id_.uuid));
    }
    if (is_at_end_ || id_ != id) return std::nullopt;
    return query_.Time(1);
  }

 private:
  Query query_;
  key::KeyId id_{};  // of the row that it stands on; nil before the first
  bool is_at_end_ = false;
};

// The text after `prefix` and everything that starts with it; nullopt if there is none.
std::optional<std::string> PrefixEnd(std::string prefix) {
  while (!prefix.empty() && static_cast<uint8_t>(prefix.back()) == 0xff) prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

// "p402_live_abc": three random characters leave few keys, so that sorting them is cheaper than
// walking the account.
bool IsSelective(const std::string& prefix) {
  const auto last = prefix.rfind('_');
  return std::ranges::count(prefix, '_') == 2 && prefix.size() - last > 3;
}

std::string_view StatusCondition(key::KeyStatus status) {
  switch (status) {
    case key::KeyStatus::kRevoked:
      return " AND k.revoked_at IS NOT NULL";
    case key::KeyStatus::kExpired:
      return " AND k.revoked_at IS NULL AND k.expires_at <= ?2";
    case key::KeyStatus::kDisabled:
      return " AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ?2) "
             "AND k.is_disabled = 1";
    case key::KeyStatus::kActive:
      return " AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ?2) "
             "AND k.is_disabled = 0";
  }
  return "";
}

// Every parameter has a fixed number, so that the text depends only on which filters are set: at
// most a few hundred statements.
std::string PageSql(const KeyPageRequest& request) {
  const KeyFilter& filter = request.filter;
  std::string sql = P402_SELECT_KEYS;
  const bool is_selective = filter.prefix && IsSelective(*filter.prefix);
  if (is_selective) sql += "INDEXED BY keys_prefix ";
  sql += P402_JOIN_USAGE "WHERE k.account = ?1 AND ?2 IS NOT NULL";
  if (request.before) sql += " AND k.id < ?3";
  if (filter.mode) sql += " AND k.mode = ?4";
  if (filter.owner)
    sql += filter.owner->empty() ? " AND k.owner = ''" : " AND k.owner = ?5 AND k.owner <> ''";
  // The plus sign keeps the planner from sorting the whole account by an index that does not help.
  const std::string prefix = is_selective ? " AND k.prefix" : " AND +k.prefix";
  if (filter.prefix) sql += prefix + " >= ?6";
  if (filter.prefix && PrefixEnd(*filter.prefix)) sql += prefix + " < ?7";
  if (filter.name) sql += " AND instr(lower(k.name), lower(?8)) > 0";
  if (filter.unused_since) sql += " AND (u.last_used_at IS NULL OR u.last_used_at < ?9)";
  if (filter.expires_before) sql += " AND k.expires_at < ?10";
  if (filter.status) sql += StatusCondition(*filter.status);
  return sql + " ORDER BY k.id DESC LIMIT ?11";
}

void BindPage(Query& query, const KeyPageRequest& request) {
  const KeyFilter& filter = request.filter;
  query.Bind(request.account.uuid, filter.now);
  if (request.before) query.BindAt(3, request.before->uuid);
  if (filter.mode) query.BindAt(4, static_cast<int64_t>(*filter.mode));
  if (filter.owner && !filter.owner->empty()) query.BindAt(5, *filter.owner);
  if (filter.prefix) query.BindAt(6, *filter.prefix);
  if (filter.prefix) {
    if (auto end = PrefixEnd(*filter.prefix)) query.BindAt(7, *end);
  }
  if (filter.name) query.BindAt(8, *filter.name);
  if (filter.unused_since) query.BindAt(9, *filter.unused_since);
  if (filter.expires_before) query.BindAt(10, *filter.expires_before);
  // Rows that turn out to be used since do not count: then the reader stops by itself.
  query.BindAt(11, filter.unused_since ? kNoLimit : static_cast<int64_t>(request.limit + 1));
}

void BindKey(Query& query, const key::Record& record) {
  std::optional<Uuid> rotated_from;
  if (record.rotated_from) rotated_from = record.rotated_from->uuid;
  query.Bind(record.id.uuid, record.account.uuid, record.digest, record.prefix, record.name,
             static_cast<int64_t>(record.mode), record.scopes.ToString(),
             CidrText(record.allowed_cidrs), record.owner, record.metadata, record.created_at,
             static_cast<int64_t>(record.created_by.kind), record.created_by.id, record.expires_at,
             static_cast<int64_t>(record.is_disabled), record.revoked_at, record.revoke_reason,
             rotated_from, record.version);
}

Result<Account> ToAccount(const Query& row) {
  Account account;
  P402_TRY(row.Fixed(0, account.id.uuid));
  account.name = row.Text(1);
  account.is_first = row.Int(2) != 0;
  account.created_at = row.Time(3);
  return account;
}

}  // namespace

Result<std::optional<key::Record>> ReadKey(Database& database, const key::KeyId& id,
                                           const LoggedMarks& marks) {
  P402_TRY(Query query, database.Prepare(P402_SELECT_KEYS P402_JOIN_USAGE "WHERE k.id = ?1"));
  P402_TRY(const bool has_row, query.Bind(id.uuid).Step());
  if (!has_row) return std::nullopt;
  key::Record record;
  P402_TRY(Fill(record, query));
  marks.AddTo(record);
  return record;
}

Result<std::vector<key::Record>> ReadHeirs(Database& database, const key::KeyId& parent,
                                           size_t limit, const LoggedMarks& marks) {
  // Each half has its index; an OR over both columns would have to be trusted to use them.
  P402_TRY(Query query, database.Prepare(P402_SELECT_KEYS P402_JOIN_USAGE
                                         "WHERE k.id IN (SELECT id FROM keys WHERE "
                                         "created_by_id = ?1 AND created_by_kind = 1 UNION SELECT "
                                         "id FROM keys WHERE rotated_from = ?2) "
                                         "ORDER BY k.id LIMIT ?3"));
  query.Bind(parent.ToString(), parent.uuid, limit);
  return ToRecords(query, marks, {}, limit);
}

Result<KeyPage> ReadKeyPage(Database& database, const KeyPageRequest& request,
                            const LoggedMarks& marks) {
  P402_TRY(Query query, database.Prepare(PageSql(request)));
  BindPage(query, request);
  KeyPage page;
  P402_TRY(page.keys, ToRecords(query, marks, request.filter.unused_since, request.limit + 1));
  page.has_more = page.keys.size() > request.limit;
  if (page.has_more) page.keys.pop_back();
  return page;
}

Result<std::vector<key::Record>> ScanKeys(Database& database, const key::KeyId& after, size_t limit,
                                          const LoggedMarks& logged) {
  P402_TRY(Query query, database.Prepare("SELECT " P402_KEY_COLUMNS
                                         ", NULL FROM keys k WHERE k.id > ?1 ORDER BY k.id "
                                         "LIMIT ?2"));
  query.Bind(after.uuid, limit);
  // Both are of one snapshot: the second begins within the first's transaction.
  P402_TRY(const bool has_key, query.Step());
  P402_TRY(Query marks_query,
           database.Prepare("SELECT id, last_used_at FROM usage WHERE id > ?1 ORDER BY id"));
  marks_query.Bind(after.uuid);
  MarkWalk marks(std::move(marks_query));
  std::vector<key::Record> records;
  records.reserve(std::min(limit, kScanReserve));
  for (bool has_row = has_key; has_row;) {
    key::Record& record = records.emplace_back();
    P402_TRY(Fill(record, query));
    P402_TRY(record.last_used_at, marks.Of(record.id));
    logged.AddTo(record);
    P402_TRY(has_row, query.Step());
  }
  return records;
}

// An INSERT that may turn into an UPDATE would have SQLite keep a copy of each page for undoing it.
Status WriteKey(Database& database, const key::Record& record) {
  {
    P402_TRY(Query query, database.Prepare(R"sql(
INSERT INTO keys(id, account, digest, prefix, name, mode, scopes, allowed_cidrs, owner, metadata,
  created_at, created_by_kind, created_by_id, expires_at, is_disabled, revoked_at, revoke_reason,
  rotated_from, version)
VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
ON CONFLICT(id) DO NOTHING)sql"));
    BindKey(query, record);
    P402_TRY(query.Run());
  }
  if (database.changes() > 0) return {};
  P402_TRY(Query query, database.Prepare(R"sql(
UPDATE keys SET account = ?2, digest = ?3, prefix = ?4, name = ?5, mode = ?6, scopes = ?7,
  allowed_cidrs = ?8, owner = ?9, metadata = ?10, created_at = ?11, created_by_kind = ?12,
  created_by_id = ?13, expires_at = ?14, is_disabled = ?15, revoked_at = ?16, revoke_reason = ?17,
  rotated_from = ?18, version = ?19
WHERE id = ?1 AND (revoked_at IS NULL OR ?16 IS NOT NULL))sql"));
  BindKey(query, record);
  P402_TRY(query.Run());
  if (database.changes() == 0) {
    return Fail(ErrorCode::kConflict, "revoked is final: " + record.id.ToString());
  }
  return {};
}

Result<std::optional<Account>> ReadAccount(Database& database, const key::AccountId& id) {
  P402_TRY(Query query, database.Prepare("SELECT id, name, is_first, created_at FROM accounts "
                                         "WHERE id = ?1"));
  P402_TRY(const bool has_row, query.Bind(id.uuid).Step());
  if (!has_row) return std::nullopt;
  P402_TRY(auto account, ToAccount(query));
  return account;
}

Result<std::vector<Account>> ReadAccounts(Database& database) {
  P402_TRY(Query query, database.Prepare("SELECT id, name, is_first, created_at FROM accounts "
                                         "ORDER BY id"));
  std::vector<Account> accounts;
  for (;;) {
    P402_TRY(const bool has_row, query.Step());
    if (!has_row) return accounts;
    P402_TRY(auto account, ToAccount(query));
    accounts.push_back(std::move(account));
  }
}

Status InsertAccount(Database& database, const Account& account) {
  P402_TRY(Query query, database.Prepare("INSERT INTO accounts VALUES(?1, ?2, ?3, ?4)"));
  return query
      .Bind(account.id.uuid, account.name, static_cast<int64_t>(account.is_first),
            account.created_at)
      .Run();
}

Result<Head> ReadHead(Database& database, int32_t shard) {
  P402_TRY(Query query, database.Prepare("SELECT seq, tag FROM head WHERE shard = ?1"));
  P402_TRY(const bool has_row, query.Bind(static_cast<int64_t>(shard)).Step());
  if (!has_row) return Head();
  return Head{.seq = query.Int(0), .tag = static_cast<uint64_t>(query.Int(1))};
}

Status WriteHead(Database& database, int32_t shard, const Head& head) {
  P402_TRY(Query query, database.Prepare("UPDATE head SET seq = ?2, tag = ?3 WHERE shard = ?1"));
  return query.Bind(shard, head.seq, static_cast<int64_t>(head.tag)).Run();
}

Result<std::vector<Change>> ReadLog(Database& database, int32_t shard, int64_t from, size_t limit) {
  P402_TRY(Query query,
           database.Prepare("SELECT seq, tag, kind, at, account, subject, payload FROM log "
                            "WHERE shard = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3"));
  query.Bind(shard, from, limit);
  std::vector<Change> changes;
  for (;;) {
    P402_TRY(const bool has_row, query.Step());
    if (!has_row) return changes;
    Change change{.shard = shard,
                  .seq = query.Int(0),
                  .tag = static_cast<uint64_t>(query.Int(1)),
                  .at = query.Time(3),
                  .account = {}};
    const int64_t kind = query.Int(2);
    if (kind < 1 || kind > static_cast<int64_t>(ChangeKind::kUpdate)) {
      return Fail(ErrorCode::kCorrupt, fmt::format("the kind of change {}", change.seq));
    }
    change.kind = static_cast<ChangeKind>(kind);
    P402_TRY(query.Fixed(4, change.account.uuid));
    change.subject = query.Text(5);
    const auto payload = query.Bytes(6);
    change.payload.assign(payload.begin(), payload.end());
    changes.push_back(std::move(change));
  }
}

Status InsertChange(Database& database, const Change& change) {
  P402_TRY(Query query, database.Prepare("INSERT INTO log(shard, seq, tag, kind, at, account, "
                                         "subject, payload) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, "
                                         "?8)"));
  const std::span<const uint8_t> payload{reinterpret_cast<const uint8_t*>(change.payload.data()),
                                         change.payload.size()};
  return query
      .Bind(change.shard, change.seq, static_cast<int64_t>(change.tag),
            static_cast<int64_t>(change.kind), change.at, change.account.uuid, change.subject,
            payload)
      .Run();
}

Result<std::optional<Idempotency>> ReadIdempotency(Database& database,
                                                   const key::AccountId& account,
                                                   const key::Digest& key_digest,
                                                   WallTime expired) {
  P402_TRY(Query query, database.Prepare("SELECT request_digest, created, at FROM idempotency "
                                         "WHERE account = ?1 AND key_digest = ?2 AND at > ?3"));
  P402_TRY(const bool has_row, query.Bind(account.uuid, key_digest, expired).Step());
  if (!has_row) return std::nullopt;
  Idempotency entry{.account = account, .key_digest = key_digest, .created = {}};
  P402_TRY(query.Fixed(0, entry.request_digest));
  P402_TRY(query.Fixed(1, entry.created.uuid));
  entry.at = query.Time(2);
  return entry;
}

Status WriteIdempotency(Database& database, const Idempotency& entry, WallTime expired) {
  {
    // Bounded, so that the first change after a long stop does not pay for all of them.
    P402_TRY(Query query,
             database.Prepare("DELETE FROM idempotency WHERE (account, key_digest) IN (SELECT "
                              "account, key_digest FROM idempotency WHERE at <= ?1 ORDER BY at "
                              "LIMIT 100)"));
    P402_TRY(query.Bind(expired).Run());
  }
  P402_TRY(Query query,
           database.Prepare("INSERT INTO idempotency(account, key_digest, request_digest, created, "
                            "at) VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET "
                            "request_digest = ?3, created = ?4, at = ?5 WHERE at <= ?6"));
  query.Bind(entry.account.uuid, entry.key_digest, entry.request_digest, entry.created.uuid,
             entry.at, expired);
  P402_TRY(query.Run());
  if (database.changes() == 0) {
    return Fail(ErrorCode::kConflict, "the idempotency key exists");
  }
  return {};
}

// Most keys that are used were used before, and an update alone costs half of what both cost.
Status WriteMark(Database& database, const key::KeyId& key, WallTime at) {
  {
    P402_TRY(Query query, database.Prepare("UPDATE usage SET last_used_at = ?2 WHERE id = ?1 AND "
                                           "last_used_at < ?2"));
    P402_TRY(query.Bind(key.uuid, at).Run());
  }
  if (database.changes() > 0) return {};
  P402_TRY(Query query,
           database.Prepare("INSERT INTO usage(id, account, last_used_at) SELECT id, account, ?2 "
                            "FROM keys WHERE id = ?1 ON CONFLICT(id) DO UPDATE SET last_used_at = "
                            "?2 WHERE last_used_at < ?2"));
  return query.Bind(key.uuid, at).Run();
}

}  // namespace p402::store::sqlite
