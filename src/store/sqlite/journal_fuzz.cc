// What a damaged disk may hold must neither crash the parser nor be taken for a revocation that was
// never written.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "store/sqlite/journal.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using p402::store::sqlite::FormatJournalHead;
  using p402::store::sqlite::FormatRevocation;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto revocation = p402::store::sqlite::ParseRevocation(text)) {
    P402_CHECK(FormatRevocation(*revocation) == std::string(text) + "\n");
  }
  if (const auto id = p402::store::sqlite::ParseJournalHead(text)) {
    P402_CHECK(FormatJournalHead(*id) == std::string(text) + "\n");
  }
  const auto content = p402::store::sqlite::ParseJournal(text);
  P402_CHECK(content.front_bytes <= size);
  P402_CHECK(content.front_count <= content.revocations.size());
  P402_CHECK(content.bad_line.has_value() || content.front_count == content.revocations.size());
  // The good front reads the same alone.
  const auto front = p402::store::sqlite::ParseJournal(text.substr(0, content.front_bytes));
  P402_CHECK(front.revocations.size() == content.front_count);
  P402_CHECK(!front.bad_line && front.front_bytes == content.front_bytes);
  return 0;
}
