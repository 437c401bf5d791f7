#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "index/snapshot.h"

namespace p402::index {
namespace {

// A snapshot file without its checksums, which a fuzzer could not guess: whatever the blocks hold,
// they are refused, or become an index that can be read.
void ReadAsSnapshot(std::string_view rest) {
  const auto header = DecodeSnapshotHeader(rest.substr(0, SnapshotHeader::kBytes));
  if (header) P402_CHECK(EncodeSnapshotHeader(*header) == rest.substr(0, SnapshotHeader::kBytes));
  rest.remove_prefix(std::min(rest.size(), SnapshotHeader::kBytes));
  Index index("p402");
  SnapshotDecoder decoder;
  size_t loaded = 0;
  for (uint64_t number = 0; !rest.empty(); ++number) {
    const std::string_view head_bytes = rest.substr(0, SnapshotBlockHead::kBytes);
    const auto head = DecodeSnapshotBlockHead(head_bytes, number);
    if (!head) break;
    rest.remove_prefix(SnapshotBlockHead::kBytes);
    const std::string_view payload = rest.substr(0, head->payload_bytes);
    rest.remove_prefix(payload.size());
    static_cast<void>(CheckSnapshotBlock(head_bytes, payload).has_value());
    const auto keys = decoder.Decode(payload, head->keys);
    if (!keys || !index.Load(*keys)) break;
    loaded += keys->size();
    P402_CHECK(index.size() == loaded);
  }
  for (const auto& record : index.Dump()) {
    P402_CHECK(index.Find(record.id)->digest == record.digest);
  }
}

}  // namespace
}  // namespace p402::index

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  p402::index::ReadAsSnapshot({reinterpret_cast<const char*>(data), size});
  return 0;
}
