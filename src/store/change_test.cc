#include "store/change.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <vector>

namespace p402::store {
namespace {

AuditRecord Example() {
  AuditRecord record{.number = 7, .at = WallTime(Millis(1'776'254'400'123)), .account = {}};
  record.account.uuid.fill(0x11);
  record.actor = {.kind = key::ActorKind::kKey, .id = "key_1"};
  record.action = "key.create";
  record.subject = "key_2";
  record.details = "{}";
  record.ip = "203.0.113.9";
  record.request_id = "req";
  record.previous.fill(0x22);
  return record;
}

TEST(AuditHash, S1_NeverChanges) {
  // Computed with Python: sha256 over each field as <u32 length><bytes>, numbers as 8 bytes.
  EXPECT_EQ(key::ToHex(AuditHash(Example())),
            "ab4996924f3cf6cc363cc18e9b6f96e3426447f9fbdf35892807cf66b55d9ea7");
}

TEST(AuditHash, S1_CoversEveryField) {
  const std::vector<std::function<void(AuditRecord&)>> changes = {
      [](AuditRecord& r) { r.number = 8; },
      [](AuditRecord& r) { r.at += Millis(1); },
      [](AuditRecord& r) { r.account.uuid[15] ^= 1; },
      [](AuditRecord& r) { r.actor.kind = key::ActorKind::kMember; },
      [](AuditRecord& r) { r.actor.id = "key_3"; },
      [](AuditRecord& r) { r.action = "key.revoke"; },
      [](AuditRecord& r) { r.subject.clear(); },
      [](AuditRecord& r) { r.details = "{ }"; },
      [](AuditRecord& r) { r.ip = "203.0.113.8"; },
      [](AuditRecord& r) { r.request_id += "x"; },
      [](AuditRecord& r) { r.previous[0] ^= 1; },
  };
  std::set<key::Digest> hashes = {AuditHash(Example())};
  for (const auto& change : changes) {
    AuditRecord record = Example();
    change(record);
    hashes.insert(AuditHash(record));
  }
  EXPECT_EQ(hashes.size(), changes.size() + 1);
  AuditRecord hashed = Example();
  hashed.hash.fill(0x33);
  EXPECT_EQ(AuditHash(hashed), AuditHash(Example())) << "all but the hash itself";
}

TEST(AuditHash, S1_TextCannotMoveFromOneFieldToTheNext) {
  AuditRecord one = Example();
  AuditRecord other = Example();
  one.action = "key.create";
  one.subject = "d";
  other.action = "key.created";
  other.subject = "";
  EXPECT_NE(AuditHash(one), AuditHash(other));
}

TEST(ChangeKindName, NamesEveryKind) {
  std::set<std::string_view> names;
  for (int kind = 1; kind <= static_cast<int>(ChangeKind::kUpdate); ++kind) {
    names.insert(ChangeKindName(static_cast<ChangeKind>(kind)));
  }
  EXPECT_EQ(names.size(), 8u);
  EXPECT_FALSE(names.contains(""));
}

}  // namespace
}  // namespace p402::store
