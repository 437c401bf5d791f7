#include "cli/settings.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"

namespace p402::cli {
namespace {

constexpr std::string_view kDefaultServer = "http://127.0.0.1:4020";
constexpr size_t kFileBytes = 64 * 1024;

struct FileSettings {
  std::string server = {};
  std::string ca_file = {};
  Secret key = {};
};

std::filesystem::path ConfigPath(const Process& process) {
  if (const auto xdg = process.env("XDG_CONFIG_HOME"); xdg && !xdg->empty()) {
    return std::filesystem::path(*xdg) / "p402" / "config.toml";
  }
  if (const auto home = process.env("HOME"); home && !home->empty()) {
    return std::filesystem::path(*home) / ".config" / "p402" / "config.toml";
  }
  return {};
}

// Checks the open file, not the name, so that it cannot be exchanged in between.
Result<std::string> ReadPrivateFile(int fd, const std::string& path) {
  struct stat info{};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    return InvalidArgument("config", fmt::format("{} is not a file", path));
  }
  if ((info.st_mode & 077U) != 0 || info.st_uid != ::geteuid()) {
    return InvalidArgument("config", fmt::format("{} must have mode 0600, because it holds a key: "
                                                 "chmod 600 {}",
                                                 path, path));
  }
  if (info.st_size > static_cast<off_t>(kFileBytes)) {
    return InvalidArgument("config", fmt::format("{} is larger than 64 KiB", path));
  }
  std::string text(static_cast<size_t>(info.st_size), '\0');
  size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t got = ::read(fd, text.data() + filled, text.size() - filled);
    if (got <= 0) break;
    filled += static_cast<size_t>(got);
  }
  text.resize(filled);
  return text;
}

Result<FileSettings> Convert(toml::table& table, const std::string& path) {
  FileSettings settings;
  for (auto&& [name, node] : table) {
    auto* text = node.as_string();
    const bool is_known = name == "url" || name == "api_key" || name == "ca_file";
    if (!is_known) {
      return InvalidArgument(std::string(name.str()),
                             fmt::format("{}: unknown name \"{}\" (known: url, api_key, "
                                         "ca_file)",
                                         path, name.str()));
    }
    if (text == nullptr) {
      return InvalidArgument(std::string(name.str()),
                             fmt::format("{}: \"{}\" must be a text", path, name.str()));
    }
    if (name == "url") settings.server = text->get();
    if (name == "ca_file") settings.ca_file = text->get();
    if (name == "api_key") settings.key = Secret(std::move(text->get()));
  }
  return settings;
}

Result<FileSettings> ParseFile(std::string_view text, const std::string& path) {
  try {
    toml::table table = toml::parse(text);
    return Convert(table, path);
  } catch (const toml::parse_error& error) {
    // Only the line: the description may quote the text, and the text may hold a key.
    return InvalidArgument("config",
                           fmt::format("{}: line {} is not TOML", path, error.source().begin.line));
  }
}

Result<FileSettings> ReadConfigFile(const Process& process) {
  const auto path = ConfigPath(process);
  if (path.empty()) return FileSettings{};
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) return FileSettings{};
  P402_TRY(std::string text, ReadPrivateFile(file.get(), path.string()));
  auto settings = ParseFile(text, path.string());
  WipeString(text);
  return settings;
}

std::string FirstSet(const std::string& flag, const std::optional<std::string>& environment,
                     const std::string& file) {
  if (!flag.empty()) return flag;
  return environment && !environment->empty() ? *environment : file;
}

bool IsVisibleAscii(char c) {
  return c > 0x20 && c < 0x7F;
}

Result<Secret> CheckKey(Secret key) {
  std::string_view text = key.Reveal();
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  if (text.empty()) {
    return InvalidArgument("api_key",
                           "no API key: set P402_API_KEY, or write api_key = \"…\" into "
                           "~/.config/p402/config.toml (mode 0600)");
  }
  if (!std::all_of(text.begin(), text.end(), IsVisibleAscii)) {
    return InvalidArgument("api_key", "the API key has characters that no key has");
  }
  return Secret::CopyOf(text);
}

}  // namespace

Result<std::string> CheckServer(std::string_view url) {
  const bool is_http = url.starts_with("http://");
  if (!is_http && !url.starts_with("https://")) {
    return InvalidArgument("server", "the server's address must start with http:// or https://");
  }
  while (url.ends_with('/')) url.remove_suffix(1);
  const size_t host_at = is_http ? 7 : 8;
  const bool is_clean = std::all_of(url.begin(), url.end(), IsVisibleAscii) &&
                        url.find_first_of("@?#\"\\") == url.npos;
  if (url.size() <= host_at || !is_clean) {
    return InvalidArgument("server",
                           "the server's address must be like https://keys.example.com:4020");
  }
  return std::string(url);
}

Result<Settings> LoadSettings(const Process& process, const Common& common) {
  P402_TRY(FileSettings file, ReadConfigFile(process));
  const std::string url = FirstSet(common.server, process.env("P402_URL"),
                                   file.server.empty() ? std::string(kDefaultServer) : file.server);
  P402_TRY(std::string server, CheckServer(url));
  auto key_text = process.env("P402_API_KEY");
  const bool is_from_environment = key_text && !key_text->empty();
  Secret key = is_from_environment ? Secret(std::move(*key_text)) : std::move(file.key);
  P402_TRY(Secret checked, CheckKey(std::move(key)));
  return Settings{
      .server = std::move(server),
      .ca_file = FirstSet(common.ca_file, process.env("P402_CA_FILE"), file.ca_file),
      .key = std::move(checked),
      .key_source = is_from_environment ? "P402_API_KEY" : ConfigPath(process).string()};
}

}  // namespace p402::cli
