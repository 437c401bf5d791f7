#include "api/request_ids.h"

namespace p402::api {

RequestId RequestIds::Next(WallTime now) {
  constexpr uint64_t kTailBits = 57;
  static_assert(kStripes <= 1 << (62 - kTailBits));
  const size_t stripe = StripeOfThisThread();
  const uint64_t count = AddToStripe(stripes_[stripe].count, 1, stripe);
  const auto now_ms = static_cast<uint64_t>(now.time_since_epoch().count());
  const uint64_t front = now_ms << 16 | 0x7000 | (count & 0xfff);
  const uint64_t tail = (start_ + count) & ((uint64_t{1} << kTailBits) - 1);
  const uint64_t back = uint64_t{2} << 62 | uint64_t{stripe} << kTailBits | tail;
  RequestId id;
#pragma GCC unroll 8
  for (size_t i = 0; i < 8; ++i) {
    id.uuid[i] = static_cast<uint8_t>(front >> (56 - 8 * i));
    id.uuid[i + 8] = static_cast<uint8_t>(back >> (56 - 8 * i));
  }
  return id;
}

}  // namespace p402::api
