#include "cli/display.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"

namespace p402::cli {
namespace {

constexpr size_t kCellCharacters = 40;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct CodePoint {
  uint32_t value = 0;
  size_t bytes = 0;
};

// The code point at the start of `text`; nullopt if the bytes are not UTF-8.
std::optional<CodePoint> DecodeFirst(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  const size_t bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (bytes > text.size() || !IsValidUtf8(text.substr(0, bytes))) return std::nullopt;
  if (bytes == 1) return CodePoint{lead, 1};
  uint32_t value = lead & (0xFFU >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) value = value << 6 | (static_cast<uint8_t>(text[i]) & 0x3FU);
  return CodePoint{value, bytes};
}

// What could steer a terminal or reorder what is seen.
bool IsDangerous(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

template <class Replace>
std::string Rewrite(std::string_view text, Replace replace) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto point = DecodeFirst(text);
    const size_t bytes = point ? point->bytes : 1;
    if (!point) {
      out += kReplacement;
    } else if (IsDangerous(point->value)) {
      replace(out, point->value);
    } else {
      out += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
  return out;
}

std::string CountUnit(int64_t count, std::string_view unit) {
  return fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s");
}

std::string SpanText(std::chrono::seconds span) {
  struct Unit {
    int64_t seconds;
    std::string_view name;
  };
  static constexpr std::array<Unit, 6> kUnits = {{{31'536'000, "year"},
                                                  {2'592'000, "month"},
                                                  {86'400, "day"},
                                                  {3'600, "hour"},
                                                  {60, "minute"},
                                                  {1, "second"}}};
  for (const Unit& unit : kUnits) {
    if (span.count() >= unit.seconds) return CountUnit(span.count() / unit.seconds, unit.name);
  }
  return CountUnit(0, "second");
}

// The text with a line of at most kCellCharacters. Requires: clean, so valid UTF-8.
Cell Cut(const Cell& cell) {
  if (CountCodePoints(cell.text) <= kCellCharacters) return cell;
  size_t bytes = 0;
  for (size_t i = 0; i + 1 < kCellCharacters; ++i) {
    bytes += DecodeFirst(std::string_view(cell.text).substr(bytes))->bytes;
  }
  return PlainCell(cell.text.substr(0, bytes) + "…");
}

const std::string& Shown(const Cell& cell) {
  return cell.shown.empty() ? cell.text : cell.shown;
}

void AppendPadded(std::string& line, const Cell& cell, size_t width, bool is_last) {
  line += Shown(cell);
  if (!is_last) line.append(width - CountCodePoints(cell.text) + 2, ' ');
}

std::string RenderTabs(const std::vector<std::vector<Cell>>& rows) {
  std::string out;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) out += (i == 0 ? "" : "\t") + row[i].text;
    out += '\n';
  }
  return out;
}

}  // namespace

std::string Clean(std::string_view text) {
  return Rewrite(text, [](std::string& out, uint32_t) { out += kReplacement; });
}

std::string CleanJson(std::string_view json) {
  return Rewrite(json, [](std::string& out, uint32_t c) {
    if (c == '\n' || c == '\t' || c == '\r') {
      out += static_cast<char>(c);  // white space between tokens: inside a string it is not JSON
    } else {
      out += fmt::format("\\u{:04x}", c);
    }
  });
}

std::string RelativeTime(std::string_view rfc3339, WallTime now) {
  const auto time = ParseRfc3339(rfc3339);
  if (!time) return Clean(rfc3339);
  const auto ago = std::chrono::duration_cast<std::chrono::seconds>(now - *time);
  if (std::chrono::abs(ago) < std::chrono::seconds(5)) return "just now";
  if (ago.count() > 0) return SpanText(ago) + " ago";
  return "in " + SpanText(-ago);
}

std::string Look::Status(std::string_view status) const {
  if (!has_colour) return std::string(status);
  const std::string_view code = status == "active" ? "32" : status == "revoked" ? "31" : "33";
  return fmt::format("\033[{}m{}\033[0m", code, status);
}

std::string Look::Dim(std::string_view text) const {
  return has_colour ? fmt::format("\033[2m{}\033[0m", text) : std::string(text);
}

std::string Look::Bold(std::string_view text) const {
  return has_colour ? fmt::format("\033[1m{}\033[0m", text) : std::string(text);
}

std::string Look::Time(std::string_view rfc3339, std::string_view if_absent) const {
  if (rfc3339.empty()) return std::string(if_absent);
  return is_table ? RelativeTime(rfc3339, now) : Clean(rfc3339);
}

Cell PlainCell(std::string text) {
  return Cell{.text = std::move(text), .shown = {}};
}

std::string RenderTable(const std::vector<std::string>& headings,
                        const std::vector<std::vector<Cell>>& rows, const Look& look) {
  if (!look.is_table) return RenderTabs(rows);
  std::vector<std::vector<Cell>> table(1);
  for (const auto& heading : headings) {
    table[0].push_back(Cell{.text = heading, .shown = look.Dim(heading)});
  }
  for (const auto& row : rows) {
    auto& cut = table.emplace_back();
    std::transform(row.begin(), row.end(), std::back_inserter(cut), Cut);
  }
  std::vector<size_t> widths(headings.size());
  for (const auto& row : table) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], CountCodePoints(row[i].text));
    }
  }
  std::string out;
  for (const auto& row : table) {
    for (size_t i = 0; i < row.size(); ++i) {
      AppendPadded(out, row[i], widths[i], i + 1 == row.size());
    }
    out += '\n';
  }
  return out;
}

std::string RenderFields(const std::vector<std::pair<std::string, Cell>>& fields,
                         const Look& look) {
  size_t width = 0;
  for (const auto& field : fields) width = std::max(width, field.first.size());
  std::string out;
  for (const auto& [name, cell] : fields) {
    if (look.is_table) {
      out += look.Dim(name) + std::string(width - name.size() + 2, ' ') + Shown(cell) + '\n';
    } else {
      out += name + '\t' + cell.text + '\n';
    }
  }
  return out;
}

}  // namespace p402::cli
