#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/testing/fakes.h"
#include "index/index.h"
#include "key/digest.h"
#include "key/raw_key.h"

namespace p402::index {

using key::Decision;

inline constexpr WallTime kNow{Millis(1'776'254'400'000)};
inline WallTime At(int64_t seconds) {
  return kNow + std::chrono::seconds(seconds);
}

struct Known {
  key::Record record;
  std::string raw_key;
};

class IndexTest : public ::testing::Test {
 protected:
  Known Make(int64_t version = 1) {
    Known known;
    Secret raw_key = key::GenerateRawKey(random_, "p402", key::Mode::kLive);
    known.raw_key = raw_key.Reveal();
    known.record.id = key::KeyId::New(ids_);
    known.record.account = account_;
    known.record.digest = key::DigestOf(known.raw_key);
    known.record.name = "k";
    known.record.created_at = kNow;
    known.record.version = version;
    return known;
  }
  Known Put(int64_t version = 1) {
    Known known = Make(version);
    index_.Put(known.record);
    return known;
  }
  Decision Ask(const Known& known, WallTime now = kNow) {
    return index_.Verify(known.raw_key, {}, now).decision;
  }

  testing::FakeClock clock_;
  testing::SeededRandom random_;
  Uuid7Generator ids_{clock_, random_};
  key::AccountId account_ = key::AccountId::New(ids_);
  Index index_{"p402"};
};

}  // namespace p402::index
