#include "base/typeid.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

#include "base/testing/fakes.h"

namespace p402 {
namespace {

std::string ToText(const Uuid& uuid) {
  std::string text;
  for (size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", uuid[i]);
  }
  return text;
}

struct Valid {
  const char* name;
  const char* text;
  const char* prefix;
  const char* uuid;
};
// The valid vectors of the specification, version 0.3.0.
constexpr Valid kValid[] = {
    {"nil", "00000000000000000000000000", "", "00000000-0000-0000-0000-000000000000"},
    {"one", "00000000000000000000000001", "", "00000000-0000-0000-0000-000000000001"},
    {"ten", "0000000000000000000000000a", "", "00000000-0000-0000-0000-00000000000a"},
    {"sixteen", "0000000000000000000000000g", "", "00000000-0000-0000-0000-000000000010"},
    {"thirty-two", "00000000000000000000000010", "", "00000000-0000-0000-0000-000000000020"},
    {"max-valid", "7zzzzzzzzzzzzzzzzzzzzzzzzz", "", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
    {"valid-alphabet", "prefix_0123456789abcdefghjkmnpqrs", "prefix",
     "0110c853-1d09-52d8-d73e-1194e95b5f19"},
    {"valid-uuidv7", "prefix_01h455vb4pex5vsknk084sn02q", "prefix",
     "01890a5d-ac96-774b-bcce-b302099a8057"},
    {"prefix-underscore", "pre_fix_00000000000000000000000000", "pre_fix",
     "00000000-0000-0000-0000-000000000000"},
};

struct Invalid {
  const char* name;
  const char* text;
};
// The invalid vectors of the specification, version 0.3.0.
constexpr Invalid kInvalid[] = {
    {"prefix-uppercase", "PREFIX_00000000000000000000000000"},
    {"prefix-numeric", "12345_00000000000000000000000000"},
    {"prefix-period", "pre.fix_00000000000000000000000000"},
    {"prefix-non-ascii", "préfix_00000000000000000000000000"},
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

TEST(TypeId, AcceptsTheValidVectorsOfTheSpecification) {
  static_assert(std::size(kValid) == 9);
  for (const Valid& vector : kValid) {
    const auto parts = DecodeTypeId(vector.text);
    ASSERT_TRUE(parts) << vector.name;
    EXPECT_EQ(parts->prefix, vector.prefix) << vector.name;
    EXPECT_EQ(ToText(parts->uuid), vector.uuid) << vector.name;
    EXPECT_EQ(EncodeTypeId(parts->prefix, parts->uuid), vector.text) << vector.name;
  }
}

TEST(TypeId, RefusesTheInvalidVectorsOfTheSpecification) {
  static_assert(std::size(kInvalid) == 21);
  for (const Invalid& vector : kInvalid) {
    EXPECT_FALSE(DecodeTypeId(vector.text)) << vector.name;
  }
}

TEST(TypeId, APrefixHasAtMost63Characters) {
  const Uuid uuid{};
  const std::string longest(63, 'a');
  EXPECT_TRUE(DecodeTypeId(EncodeTypeId(longest, uuid)));
  EXPECT_FALSE(IsValidTypeIdPrefix(longest + "a"));
}

TEST(TypeIdDeathTest, AnInvalidPrefixIsADefect) {
  EXPECT_DEATH((void)EncodeTypeId("Key", Uuid{}), "CHECK failed");
}

TEST(TypeId, DecodesWhatItEncodes) {
  testing::SeededRandom random;
  for (int i = 0; i < 2'000; ++i) {
    Uuid uuid;
    random.Fill(uuid);
    const std::string text = EncodeTypeId("key", uuid);
    EXPECT_EQ(text.size(), 30u);
    EXPECT_EQ(DecodeTypeId(text)->uuid, uuid);
  }
}

TEST(TypeId, RefusesEveryOtherByteInTheSuffix) {
  const std::string text = EncodeTypeId("key", Uuid{});
  size_t accepted = 0;
  for (int byte = 0; byte < 256; ++byte) {
    std::string changed = text;
    changed.back() = static_cast<char>(byte);
    accepted += DecodeTypeId(changed).has_value();
  }
  EXPECT_EQ(accepted, 32u);
}

using ThingId = TypedId<"thing">;

TEST(TypedId, KindsDoNotMix) {
  const std::string text = "thing_01h455vb4pex5vsknk084sn02q";
  const auto id = ThingId::Parse(text);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->ToString(), text);
  EXPECT_FALSE(id->is_nil());
  EXPECT_TRUE(ThingId{}.is_nil());
  EXPECT_FALSE(TypedId<"other">::Parse(text));
  EXPECT_FALSE(ThingId::Parse("01h455vb4pex5vsknk084sn02q"));
  static_assert(!std::is_same_v<ThingId, TypedId<"other">>);
}

TEST(Uuid7, HasTheLayoutOfRfc9562) {
  testing::FakeClock clock(WallTime(Millis(0x017F22E279B0)));
  testing::SeededRandom random;
  Uuid7Generator generator(clock, random);
  for (int i = 0; i < 100; ++i) {
    const std::string text = ToText(generator.Next());
    EXPECT_EQ(text.substr(0, 15), "017f22e2-79b0-7");
    EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos) << text;
  }
}

TEST(Uuid7, GrowsWithinAMillisecondAndWhenTheClockStepsBack) {
  testing::FakeClock clock;
  testing::SeededRandom random;
  Uuid7Generator generator(clock, random);
  Uuid last{};
  for (int i = 0; i < 20'000; ++i) {
    if (i == 10'000) clock.StepWall(std::chrono::hours(-1));
    if (i % 7'000 == 6'999) clock.Advance(Millis(1));
    const Uuid next = generator.Next();
    ASSERT_LT(last, next) << i;
    last = next;
  }
}

TEST(Uuid7, StartsEachMillisecondAtARandomCount) {
  testing::FakeClock clock;
  testing::SeededRandom random;
  Uuid7Generator generator(clock, random);
  std::set<int> starts;
  for (int i = 0; i < 64; ++i) {
    clock.Advance(Millis(1));
    const Uuid uuid = generator.Next();
    starts.insert((uuid[6] & 0x0f) << 8 | uuid[7]);
  }
  EXPECT_GT(starts.size(), 32u);
  EXPECT_LT(*starts.rbegin(), 0x800);  // room for 2048 more
}

TEST(Uuid7, ThreadsGetDifferentOnes) {
  const RealClock clock;
  testing::SeededRandom random;
  Uuid7Generator generator(clock, random);
  std::vector<std::vector<Uuid>> made(4);
  {
    std::vector<std::jthread> threads;
    for (auto& uuids : made) {
      threads.emplace_back([&] {
        for (int i = 0; i < 2000; ++i) uuids.push_back(generator.Next());
      });
    }
  }
  std::set<Uuid> all;
  for (const auto& uuids : made) {
    EXPECT_TRUE(std::is_sorted(uuids.begin(), uuids.end()));
    all.insert(uuids.begin(), uuids.end());
  }
  EXPECT_EQ(all.size(), 8000u);
}

}  // namespace
}  // namespace p402
