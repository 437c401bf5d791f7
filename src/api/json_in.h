#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace p402::api {

// Memory that is overwritten before it is given back: request bodies may carry a raw key.
template <class T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <class U>
  WipingAllocator(const WipingAllocator<U>&) {}  // NOLINT: the allocator requirements
  T* allocate(size_t count);
  void deallocate(T* memory, size_t count);
  bool operator==(const WipingAllocator&) const = default;
};
using WipedText = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;

// One JSON value. Numbers keep the text they were written with, members their order.
struct Json {
  enum class Kind : unsigned char { kNull, kFalse, kTrue, kNumber, kText, kArray, kObject };
  using Member = std::pair<WipedText, Json>;

  Kind kind = Kind::kNull;
  WipedText text = {};  // of kText: decoded; of kNumber: as written
  std::vector<Json, WipingAllocator<Json>> items = {};
  std::vector<Member, WipingAllocator<Member>> members = {};
};

// Compact JSON text of `value`, members in their order.
void AppendCompact(std::string& out, const Json& value);
// The same with the members of every object sorted by name: equal for bodies that mean the same.
void AppendCanonical(std::string& out, const Json& value);

// A request body: one JSON object, read strictly. A field is asked for once, by name and type.
//
// Errors of every method: kInvalidArgument; `field` and the public message name the field and what
// it must be. A field that is absent is nullopt; null counts as absent only where it says so.
class JsonBody {
 public:
  JsonBody() = default;  // {}
  // Errors: kInvalidArgument for text that is not one JSON object in UTF-8 (RFC 8259), that is
  // nested deeper than limits::kJsonDepth, or that has a field twice, in whatever object.
  static Result<JsonBody> Parse(std::string_view text);

  // Errors: the first field that is not among `names` (separated by spaces).
  Status AllowOnly(std::string_view names) const;

  bool IsNull(std::string_view name) const;
  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  // Lifetime of the text: this object's.
  Result<std::optional<std::string_view>> Text(std::string_view name) const;
  Result<std::string_view> RequiredText(std::string_view name) const;
  Result<std::optional<bool>> Bool(std::string_view name) const;
  Result<std::optional<std::vector<std::string>>> Texts(std::string_view name) const;
  // RFC 3339; null is absent.
  Result<std::optional<WallTime>> Time(std::string_view name) const;
  // "24h"; see ParseDuration.
  Result<std::optional<Millis>> Duration(std::string_view name) const;
  // The compact text of an object; null is absent.
  Result<std::optional<std::string>> Object(std::string_view name) const;

  std::string Canonical() const;

 private:
  const Json* Find(std::string_view name) const;
  Json root_{.kind = Json::Kind::kObject};
};

// `name` if it may be shown: a short word. Anything else could be a raw key in the wrong place
// (K4).
std::string ShowableName(std::string_view name);

// True if `names`, words separated by single spaces, has `name`.
bool IsOneOf(std::string_view name, std::string_view names);

}  // namespace p402::api
