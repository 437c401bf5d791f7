// What a damaged disk may hold must neither crash the parser nor be taken for a change that was
// never written.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "store/sqlite/journal.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using p402::store::sqlite::FormatJournalHead;
  using p402::store::sqlite::FormatRestriction;
  using p402::store::sqlite::FormatRevocation;
  using p402::store::sqlite::ParseJournal;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto revocation = p402::store::sqlite::ParseRevocation(text)) {
    P402_CHECK(FormatRevocation(*revocation) == std::string(text) + "\n");
  }
  if (const auto restriction = p402::store::sqlite::ParseRestriction(text)) {
    P402_CHECK(FormatRestriction(*restriction) == std::string(text) + "\n");
  }
  if (const auto id = p402::store::sqlite::ParseJournalHead(text)) {
    P402_CHECK(FormatJournalHead(*id) == std::string(text) + "\n");
  }
  const auto content = ParseJournal(text);
  P402_CHECK(content.front_bytes <= size);
  P402_CHECK(content.bad_line.has_value() == !content.behind.empty());
  // The good front and the good lines behind it read the same alone.
  const auto front = ParseJournal(text.substr(0, content.front_bytes));
  P402_CHECK(!front.bad_line && front.front_bytes == content.front_bytes);
  const auto behind = ParseJournal(content.behind);
  P402_CHECK(behind.is_whole && !behind.bad_line);
  auto both = front.lines;
  both.Add(behind.lines);
  P402_CHECK(both == content.lines);
  return 0;
}
