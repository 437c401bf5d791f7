#pragma once

#include <boost/json/fwd.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace p402::cli {

// A JSON object that a server sent. It may hold a raw key, so all its memory is wiped at the end.
class Document {
 public:
  // Takes over `text` and wipes it with the rest.
  // Errors: nullopt unless it is one JSON object.
  static std::optional<Document> Parse(std::string&& text);
  Document(Document&& other) noexcept;
  Document& operator=(Document&&) = delete;
  ~Document();

  // Lifetime: this object's.
  const boost::json::object& root() const;
  std::string_view text() const;

 private:
  struct Impl;
  explicit Document(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Readers that never fail: what is absent or of another type is empty, false, 0 or null.
std::string_view TextAt(const boost::json::object& object, std::string_view name);
bool BoolAt(const boost::json::object& object, std::string_view name);
std::optional<int64_t> IntAt(const boost::json::object& object, std::string_view name);
const boost::json::object* ObjectAt(const boost::json::object& object, std::string_view name);
std::vector<const boost::json::object*> ObjectsAt(const boost::json::object& object,
                                                  std::string_view name);
std::vector<std::string> TextsAt(const boost::json::object& object, std::string_view name);
// The member as compact JSON; empty for null and what is absent.
std::string JsonAt(const boost::json::object& object, std::string_view name);

}  // namespace p402::cli
