#pragma once

#include "store/audit.h"
#include "store/keys.h"
#include "store/log.h"
#include "store/sqlite/mark_log.h"
#include "store/sqlite/readers.h"
#include "store/sqlite/writer.h"
#include "store/usage.h"

// The parts of the store's interface over the readers and the writer.
namespace p402::store::sqlite {

class SqliteKeys final : public Keys {
 public:
  SqliteKeys(Readers& readers, const MarkLog& marks) : readers_(readers), marks_(marks) {}
  void Get(const key::AccountId& account, const key::KeyId& id,
           Callback<Result<std::optional<key::Record>>> done) override;
  void List(KeyPageRequest request, Callback<Result<KeyPage>> done) override;
  void Scan(const key::KeyId& after, size_t limit,
            Callback<Result<std::vector<key::Record>>> done) override;
  void Count(Callback<Result<int64_t>> done) override;

 private:
  Readers& readers_;
  const MarkLog& marks_;
};

class SqliteAccounts final : public Accounts {
 public:
  explicit SqliteAccounts(Readers& readers) : readers_(readers) {}
  void List(Callback<Result<std::vector<Account>>> done) override;

 private:
  Readers& readers_;
};

class SqliteLog final : public ChangeLog {
 public:
  explicit SqliteLog(Readers& readers) : readers_(readers) {}
  void ReadHead(int32_t shard, Callback<Result<Head>> done) override;
  void Read(int32_t shard, int64_t from, size_t limit,
            Callback<Result<std::vector<Change>>> done) override;

 private:
  Readers& readers_;
};

class SqliteUsage final : public Usage {
 public:
  explicit SqliteUsage(Writer& writer) : writer_(writer) {}
  void Write(std::vector<UsageMark> marks, Callback<Status> done) override;

 private:
  Writer& writer_;
};

class SqliteAudit final : public Audit {
 public:
  // `slow` takes the readings of the whole chain.
  SqliteAudit(Readers& readers, Readers& slow) : readers_(readers), slow_(slow) {}
  void List(AuditQuery query, Callback<Result<std::vector<AuditRecord>>> done) override;
  void ReadHead(Callback<Result<AuditHead>> done) override;
  void Verify(std::optional<key::Digest> anchor, Callback<Result<AuditVerdict>> done) override;

 private:
  Readers& readers_;
  Readers& slow_;
};

}  // namespace p402::store::sqlite
