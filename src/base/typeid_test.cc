#include "base/typeid.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "base/testing/fakes.h"

namespace p402 {
namespace {

struct Valid {
  std::string_view name, text, prefix;
  Uuid uuid;
};

// The vectors of the TypeID specification 0.3.0.
const Valid kValid[] = {
    {"nil", "00000000000000000000000000", "", {}},
    {"one", "00000000000000000000000001", "", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
    {"ten", "0000000000000000000000000a", "", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10}},
    {"sixteen",
     "0000000000000000000000000g",
     "",
     {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16}},
    {"thirty-two",
     "00000000000000000000000010",
     "",
     {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32}},
    {"max",
     "7zzzzzzzzzzzzzzzzzzzzzzzzz",
     "",
     {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff}},
    {"valid-alphabet",
     "prefix_0123456789abcdefghjkmnpqrs",
     "prefix",
     {0x01, 0x10, 0xc8, 0x53, 0x1d, 0x09, 0x52, 0xd8, 0xd7, 0x3e, 0x11, 0x94, 0xe9, 0x5b, 0x5f,
      0x19}},
    {"valid-uuidv7",
     "prefix_01h455vb4pex5vsknk084sn02q",
     "prefix",
     {0x01, 0x89, 0x0a, 0x5d, 0xac, 0x96, 0x77, 0x4b, 0xbc, 0xce, 0xb3, 0x02, 0x09, 0x9a, 0x80,
      0x57}},
    {"prefix-underscore", "pre_fix_00000000000000000000000000", "pre_fix", {}},
};

TEST(TypeId, DecodesAndEncodesTheValidVectors) {
  for (const Valid& vector : kValid) {
    const auto parts = DecodeTypeId(vector.text);
    ASSERT_TRUE(parts) << vector.name;
    EXPECT_EQ(parts->prefix, vector.prefix) << vector.name;
    EXPECT_EQ(parts->uuid, vector.uuid) << vector.name;
    EXPECT_EQ(EncodeTypeId(vector.prefix, vector.uuid), vector.text) << vector.name;
  }
}

struct Invalid {
  std::string_view name, text;
};

const Invalid kInvalid[] = {
    {"prefix-uppercase", "PREFIX_00000000000000000000000000"},
    {"prefix-numeric", "12345_00000000000000000000000000"},
    {"prefix-period", "pre.fix_00000000000000000000000000"},
    {"prefix-non-ascii",
     "pr\xc3\xa9"
     "fix_00000000000000000000000000"},
    {"prefix-spaces", "  prefix_00000000000000000000000000"},
    {"prefix-64-chars",
     "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl_"
     "00000000000000000000000000"},
    {"separator-empty-prefix", "_00000000000000000000000000"},
    {"separator-empty", "_"},
    {"suffix-short", "prefix_1234567890123456789012345"},
    {"suffix-long", "prefix_123456789012345678901234567"},
    {"suffix-spaces", "prefix_1234567890123456789012345 "},
    {"suffix-uppercase", "prefix_0123456789ABCDEFGHJKMNPQRS"},
    {"suffix-hyphens", "prefix_123456789-123456789-123456"},
    {"suffix-wrong-alphabet", "prefix_ooooooiiiiiiuuuuuuulllllll"},
    {"suffix-ambiguous-crockford", "prefix_i23456789ol23456789oi23456"},
    {"suffix-hyphens-crockford", "prefix_123456789-0123456789-0123456"},
    {"suffix-overflow", "prefix_8zzzzzzzzzzzzzzzzzzzzzzzzz"},
    {"prefix-underscore-start", "_prefix_00000000000000000000000000"},
    {"prefix-underscore-end", "prefix__00000000000000000000000000"},
    {"empty", ""},
    {"prefix-empty", "prefix_"},
};

TEST(TypeId, RefusesTheInvalidVectors) {
  static_assert(std::size(kInvalid) == 21 && std::size(kValid) == 9);
  for (const Invalid& vector : kInvalid) EXPECT_FALSE(DecodeTypeId(vector.text)) << vector.name;
}

TEST(TypeId, APrefixHasAtMost63Characters) {
  EXPECT_TRUE(IsValidTypeIdPrefix(std::string(63, 'a')));
  EXPECT_FALSE(IsValidTypeIdPrefix(std::string(64, 'a')));
}

TEST(TypeId, ATypedIdTakesOnlyItsOwnPrefix) {
  using Id = TypedId<"key">;
  EXPECT_TRUE(Id::Parse("key_01h455vb4pex5vsknk084sn02q"));
  EXPECT_FALSE(Id::Parse("acct_01h455vb4pex5vsknk084sn02q"));
  EXPECT_FALSE(Id::Parse("01h455vb4pex5vsknk084sn02q"));
  EXPECT_EQ(Id::Parse("key_01h455vb4pex5vsknk084sn02q")->ToString(),
            "key_01h455vb4pex5vsknk084sn02q");
}

TEST(Uuid7, HasTheTimeTheVersionAndTheVariant) {
  testing::FakeClock clock;
  testing::SeededRandom random;
  Uuid7Generator generator(clock, random);
  const Uuid uuid = generator.Next();
  int64_t ms = 0;
  for (size_t i = 0; i < 6; ++i) ms = ms << 8 | uuid[i];
  EXPECT_EQ(ms, clock.Now().time_since_epoch().count());
  EXPECT_EQ(uuid[6] >> 4, 7);
  EXPECT_EQ(uuid[8] >> 6, 2);
}

TEST(Uuid7, GrowsWithinAMillisecondAndWhenTheClockStepsBack) {
  testing::FakeClock clock;
  testing::SeededRandom random;
  Uuid7Generator generator(clock, random);
  Uuid last = generator.Next();
  for (int i = 0; i < 10'000; ++i) {
    if (i == 5'000) clock.StepWall(-Millis(60'000));
    const Uuid next = generator.Next();
    ASSERT_LT(last, next) << i;
    last = next;
  }
}

TEST(Uuid7, IsUniqueAcrossThreads) {
  testing::FakeClock clock;
  testing::SeededRandom random;
  Uuid7Generator generator(clock, random);
  std::vector<std::vector<Uuid>> made(4);
  {
    std::vector<std::jthread> threads;
    for (auto& part : made) {
      threads.emplace_back([&part, &generator] {
        for (int i = 0; i < 2'000; ++i) part.push_back(generator.Next());
      });
    }
  }
  std::set<Uuid> all;
  for (const auto& part : made) all.insert(part.begin(), part.end());
  EXPECT_EQ(all.size(), 8'000u);
}

}  // namespace
}  // namespace p402
