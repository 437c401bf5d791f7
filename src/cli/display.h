#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace p402::cli {

// Text from a server, made safe for a terminal: control characters, bidirectional overrides and
// bytes that are not UTF-8 become U+FFFD.
std::string Clean(std::string_view text);

// JSON from a server, still the same JSON: DEL, C1 and bidirectional overrides are written as
// \uXXXX, so that they cannot steer a terminal.
std::string CleanJson(std::string_view json);

// "3 minutes ago", "in 5 days", "just now". An unparsable time is returned as it is, cleaned.
std::string RelativeTime(std::string_view rfc3339, WallTime now);

// How the output of this run looks.
struct Look {
  bool is_table = false;  // a terminal: aligned columns, headings, relative times
  bool has_colour = false;
  WallTime now{};

  // A key's status, coloured.
  std::string Status(std::string_view status) const;
  std::string Dim(std::string_view text) const;
  std::string Bold(std::string_view text) const;
  // A time that may be absent (empty).
  std::string Time(std::string_view rfc3339, std::string_view if_absent) const;
};

struct Cell {
  std::string text;   // clean
  std::string shown;  // with colour; empty: `text`
};
Cell PlainCell(std::string text);

// Rows below headings in aligned columns; without a terminal one line per row, cells separated by
// tabs, no headings. Cells longer than 40 characters are cut in tables.
std::string RenderTable(const std::vector<std::string>& headings,
                        const std::vector<std::vector<Cell>>& rows, const Look& look);

// One "name value" line each; without a terminal separated by a tab.
std::string RenderFields(const std::vector<std::pair<std::string, Cell>>& fields, const Look& look);

}  // namespace p402::cli
