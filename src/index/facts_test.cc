#include "index/facts.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace p402::index {
namespace {

constexpr WallTime kNow{Millis(1'776'254'400'123)};

const std::byte* BytesOf(const std::string& text) {
  return reinterpret_cast<const std::byte*>(text.data());
}

key::KeyId Id(std::mt19937& dice) {
  key::KeyId id;
  for (auto& byte : id.uuid) byte = static_cast<uint8_t>(dice());
  return id;
}
std::string Text(std::mt19937& dice) {
  static constexpr size_t kSizes[] = {0, 1, 12, 127, 128, 129, 4096, 20'000};
  return std::string(kSizes[dice() % std::size(kSizes)], static_cast<char>(dice()));
}

key::Record Random(std::mt19937& dice) {
  key::Record record;
  record.prefix = Text(dice);
  record.name = Text(dice);
  record.owner = Text(dice);
  record.metadata = Text(dice);
  record.revoke_reason = Text(dice);
  record.version = static_cast<int64_t>(dice()) << 20;
  record.created_at = kNow - Millis(dice());
  record.created_by = {key::ActorKind::kSystem, Text(dice)};
  if (dice() % 2 == 0) record.created_by = {key::ActorKind::kKey, Id(dice).ToString()};
  if (dice() % 2 == 0) record.expires_at = kNow + Millis(dice());
  if (dice() % 2 == 0) record.revoked_at = kNow - Millis(dice());
  if (dice() % 2 == 0) record.rotated_from = Id(dice);
  std::vector<std::string> cidrs(dice() % 3 * 32);
  for (auto& cidr : cidrs) cidr = "10." + std::to_string(dice() % 256) + ".0.0/16";
  record.allowed_cidrs = *key::CidrSet::Parse(cidrs);
  return record;
}

TEST(Facts, ReadsWhatWasWritten) {
  std::mt19937 dice(1);
  std::string bytes = "something old";
  for (int i = 0; i < 500; ++i) {
    const key::Record record = Random(dice);
    EncodeFacts(record, bytes);
    const Facts facts = ReadFacts(BytesOf(bytes));
    ASSERT_EQ(FactsSize(BytesOf(bytes)), bytes.size());
    ASSERT_EQ(VersionIn(BytesOf(bytes)), record.version);
    ASSERT_EQ(facts.version, record.version);
    ASSERT_EQ(facts.created_at, record.created_at);
    ASSERT_EQ(facts.expires_at, record.expires_at);
    if (record.expires_at) {
      ASSERT_EQ(ExpiryIn(BytesOf(bytes)), *record.expires_at);
    }
    ASSERT_EQ(facts.revoked_at, record.revoked_at);
    ASSERT_EQ(facts.rotated_from, record.rotated_from);
    ASSERT_EQ(key::CidrSet::FromValues(facts.allowed_cidrs), record.allowed_cidrs);
    ASSERT_EQ(key::CidrSet::FromValues(CidrsIn(BytesOf(bytes))), record.allowed_cidrs);
    ASSERT_EQ(facts.created_by_kind, record.created_by.kind);
    ASSERT_EQ(facts.created_by_key ? facts.created_by_key->ToString() : facts.created_by,
              record.created_by.id);
    ASSERT_EQ(facts.prefix, record.prefix);
    ASSERT_EQ(facts.name, record.name);
    ASSERT_EQ(facts.owner, record.owner);
    ASSERT_EQ(facts.metadata, record.metadata);
    ASSERT_EQ(facts.revoke_reason, record.revoke_reason);
    ASSERT_EQ(facts.created_by_key.has_value(), record.created_by.kind == key::ActorKind::kKey);
  }
}

// What does not read as the id that it should be stays a text.
TEST(Facts, AnActorIsKeptAsItIsWritten) {
  for (const char* id : {"", "key_", "someone", "acct_01h455vb4pex5vsknk084sn02q"}) {
    key::Record record;
    record.created_by = {key::ActorKind::kKey, id};
    std::string bytes;
    EncodeFacts(record, bytes);
    EXPECT_FALSE(ReadFacts(BytesOf(bytes)).created_by_key);
    EXPECT_EQ(ReadFacts(BytesOf(bytes)).created_by, id);
  }
}

TEST(Facts, AreFactsFromTheFirstToTheLastByteOrNot) {
  std::mt19937 dice(2);
  std::string bytes;
  const auto are = [](const std::string& text) { return AreFacts({BytesOf(text), text.size()}); };
  for (int i = 0; i < 200; ++i) {
    EncodeFacts(Random(dice), bytes);
    ASSERT_TRUE(are(bytes));
    ASSERT_FALSE(are(bytes + '\0'));
    const size_t cut = dice() % bytes.size();
    ASSERT_FALSE(are(bytes.substr(0, cut)));
    // Also if the length says so.
    std::string shorter = bytes.substr(0, cut);
    const auto size = static_cast<uint32_t>(cut);
    if (cut >= sizeof size) std::memcpy(shorter.data(), &size, sizeof size);
    ASSERT_FALSE(are(shorter));
  }
}

}  // namespace
}  // namespace p402::index
