#include "key/record.h"

#include <gtest/gtest.h>

#include "base/testing/fakes.h"

namespace p402::key {
namespace {

std::string RandomText(Random& random, size_t most) {
  std::string text(random.Next64() % (most + 1), '\0');
  random.Fill({reinterpret_cast<uint8_t*>(text.data()), text.size()});
  return text;
}

std::optional<WallTime> RandomTime(Random& random) {
  if (random.Next64() % 2 == 0) return std::nullopt;
  return WallTime(Millis(static_cast<int64_t>(random.Next64() >> 20)));
}

Record RandomRecord(Random& random) {
  Record record;
  random.Fill(record.id.uuid);
  random.Fill(record.account.uuid);
  random.Fill(record.digest);
  record.prefix = RandomText(random, 16);
  record.name = RandomText(random, 400);
  record.mode = random.Next64() % 2 == 0 ? Mode::kLive : Mode::kTest;
  const char* scopes[] = {"", "*", "a b c:d", "keys:read"};
  record.scopes = *ScopeSet::ParseText(scopes[random.Next64() % 4]);
  const std::vector<std::string> cidrs[] = {{}, {"10.0.0.0/8"}, {"::/0", "192.0.2.1"}};
  record.allowed_cidrs = *CidrSet::Parse(cidrs[random.Next64() % 3]);
  record.owner = RandomText(random, 255);
  record.metadata = RandomText(random, 4096);
  record.created_at = WallTime(Millis(static_cast<int64_t>(random.Next64() >> 20)));
  record.created_by = {.kind = static_cast<ActorKind>(1 + random.Next64() % 3),
                       .id = RandomText(random, 30)};
  record.expires_at = RandomTime(random);
  record.is_disabled = random.Next64() % 2 == 0;
  record.revoked_at = RandomTime(random);
  record.revoke_reason = RandomText(random, 255);
  if (random.Next64() % 2 == 0) random.Fill(record.rotated_from.emplace().uuid);
  return record;
}

TEST(RecordCodec, ReadsWhatItWrites) {
  testing::SeededRandom random(7);
  for (int i = 0; i < 500; ++i) {
    const Record record = RandomRecord(random);
    const auto decoded = DecodeRecord(EncodeRecord(record));
    ASSERT_TRUE(decoded);
    ASSERT_EQ(*decoded, record) << i;
  }
}

TEST(RecordCodec, RefusesEveryStumpAndEveryTail) {
  testing::SeededRandom random(8);
  const std::string bytes = EncodeRecord(RandomRecord(random));
  for (size_t size = 0; size < bytes.size(); ++size) {
    const auto decoded = DecodeRecord(std::string_view(bytes).substr(0, size));
    ASSERT_FALSE(decoded) << size;
    ASSERT_EQ(decoded.error().code, ErrorCode::kCorrupt);
  }
  EXPECT_FALSE(DecodeRecord(bytes + '\0'));
}

TEST(RecordCodec, AChangedByteIsRefusedOrStaysAChange) {
  testing::SeededRandom random(9);
  const std::string bytes = EncodeRecord(RandomRecord(random));
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x41);
    const auto decoded = DecodeRecord(changed);
    if (decoded) {
      ASSERT_EQ(EncodeRecord(*decoded), changed) << i;
    }
  }
}

// The bytes of format 1 may never change: they are in every log.
TEST(RecordCodec, FormatOneStaysAsItIs) {
  Record record;
  record.id.uuid.fill(0x11);
  record.account.uuid.fill(0x22);
  record.digest.fill(0x33);
  record.prefix = "p402_live_a8f2bc";
  record.name = "n";
  record.scopes = *ScopeSet::ParseText("a b");
  const std::vector<std::string> cidrs = {"10.0.0.0/8"};
  record.allowed_cidrs = *CidrSet::Parse(cidrs);
  record.created_at = WallTime(Millis(0x0102));
  record.created_by = {.kind = ActorKind::kSystem, .id = "init"};
  EXPECT_EQ(ToHex(DigestOf(EncodeRecord(record))),
            "fbda901cfb5fe39222baa31ce2a60608cbc15cb3dda3a69da31c08a0a41879e6");
}

// Where each field of this record begins, from the front: see EncodeRecord.
constexpr size_t kPrefixSize = 1 + 16 + 16 + 32;
constexpr size_t kMode = kPrefixSize + 4 + 2 + 4 + 1;  // prefix "pp", name "n"
constexpr size_t kScopes = kMode + 1 + 4;
constexpr size_t kCidrs = kScopes + 3;
constexpr size_t kActorKind = kCidrs + 2 + 4 + 4 + 8;

std::string Small() {
  Record record;
  record.prefix = "pp";
  record.name = "n";
  record.scopes = *ScopeSet::ParseText("a b");
  record.created_by = {.kind = ActorKind::kKey, .id = {}};
  return EncodeRecord(record);
}

TEST(RecordCodec, RefusesUnknownFormatsKindsAndFlags) {
  const std::string good = Small();
  ASSERT_TRUE(DecodeRecord(good));
  struct Row {
    const char* name;
    size_t at;
    std::string allowed;
  };
  const Row rows[] = {
      {"format", 0, "\x01"},
      {"mode", kMode, "\x01\x02"},
      {"actor kind", kActorKind, "\x01\x02\x03"},
      {"has expiry", kActorKind + 5, std::string(1, '\0')},
      {"disabled", kActorKind + 6, std::string("\0\x01", 2)},
      {"has revocation", kActorKind + 7, std::string(1, '\0')},
      {"has origin", good.size() - 1, std::string(1, '\0')},
  };
  for (const Row& row : rows) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = good;
      changed[row.at] = static_cast<char>(byte);
      const bool expected = row.allowed.find(static_cast<char>(byte)) != std::string::npos;
      EXPECT_EQ(DecodeRecord(changed).has_value(), expected) << row.name << ' ' << byte;
    }
  }
}

TEST(RecordCodec, RefusesLengthsThatLie) {
  const std::string good = Small();
  for (const char* length : {"\x03\0\0\0", "\x01\0\0\0", "\xff\xff\xff\xff", "\0\0\x10\x01"}) {
    std::string changed = good;
    changed.replace(kPrefixSize, 4, length, 4);
    EXPECT_FALSE(DecodeRecord(changed)) << int(length[0]);
  }
}

TEST(RecordCodec, RefusesScopesAndNetworksInAnotherSpelling) {
  const std::string good = Small();
  for (const char* scopes : {"b a", "a a", "A b", " ab", "ab "}) {
    std::string changed = good;
    changed.replace(kScopes, 3, scopes);
    EXPECT_FALSE(DecodeRecord(changed)) << scopes;
  }
  const auto with_networks = [&](std::vector<std::string> networks) {
    std::string part = {static_cast<char>(networks.size()),
                        static_cast<char>(networks.size() >> 8)};
    for (const auto& network : networks) {
      part += std::string({static_cast<char>(network.size()), 0, 0, 0}) + network;
    }
    std::string changed = good;
    return DecodeRecord(changed.replace(kCidrs, 2, part)).has_value();
  };
  EXPECT_TRUE(with_networks({"10.0.0.0/8", "11.0.0.0/8"}));
  EXPECT_FALSE(with_networks({"11.0.0.0/8", "10.0.0.0/8"}));
  EXPECT_FALSE(with_networks({"10.0.0.0/8", "10.0.0.0/8"}));
  EXPECT_FALSE(with_networks({"10.0.0.1"}));
  EXPECT_FALSE(with_networks({"10.0.0.1/8"}));
  EXPECT_FALSE(with_networks({"::ffff:10.0.0.0/104"}));
  EXPECT_FALSE(with_networks({""}));
}

TEST(RecordCodec, LeavesOutVersionAndLastUse) {
  testing::SeededRandom random(10);
  const Record record = RandomRecord(random);
  Record used = record;
  used.version = 7;
  used.last_used_at = WallTime(Millis(1));
  EXPECT_EQ(EncodeRecord(used), EncodeRecord(record));
}

TEST(KeyStatus, RevokedBeforeExpiredBeforeDisabled) {
  const WallTime now{Millis(1'000)};
  Record record;
  EXPECT_EQ(StatusAt(record, now), KeyStatus::kActive);
  record.is_disabled = true;
  EXPECT_EQ(StatusAt(record, now), KeyStatus::kDisabled);
  record.expires_at = now;
  EXPECT_EQ(StatusAt(record, now), KeyStatus::kExpired);
  EXPECT_EQ(StatusAt(record, now - Millis(1)), KeyStatus::kDisabled);
  record.revoked_at = now;
  EXPECT_EQ(StatusAt(record, now), KeyStatus::kRevoked);
}

TEST(KeyStatus, NamesReadBack) {
  for (const char* name : {"active", "disabled", "expired", "revoked"}) {
    EXPECT_EQ(KeyStatusName(*ParseKeyStatus(name)), name);
  }
  EXPECT_FALSE(ParseKeyStatus("Active"));
  for (const char* name : {"key", "member", "system"}) {
    EXPECT_EQ(ActorKindName(*ParseActorKind(name)), name);
  }
  EXPECT_FALSE(ParseActorKind(""));
}

}  // namespace
}  // namespace p402::key
