#include "net/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>

#include <cstring>
#include <mutex>

#include "net/ascii.h"

namespace p402::net {
namespace {

constexpr size_t kMaxAnswerBytes = size_t{64} * 1024 * 1024;  // without a sink it is kept in memory

// A list of header lines. Its copies of them are wiped: one holds the bearer.
class HeaderList {
 public:
  HeaderList() = default;
  ~HeaderList() {
    for (curl_slist* node = list_; node != nullptr; node = node->next) {
      OPENSSL_cleanse(node->data, std::strlen(node->data));
    }
    curl_slist_free_all(list_);
  }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;

  bool Add(const std::string& line) {
    curl_slist* const longer = curl_slist_append(list_, line.c_str());
    if (longer == nullptr) return false;
    list_ = longer;
    return true;
  }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

bool HasLineEnd(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

Status FillHeaders(const ClientRequest& request, HeaderList& list) {
  for (const auto& [name, value] : request.headers) {
    if (HasLineEnd(name) || HasLineEnd(value)) {
      return InvalidArgument("headers", "a header must not hold a line end");
    }
    // curl drops "Name:", and sends "Name;" as an empty header.
    list.Add(value.empty() ? name + ";" : name + ": " + value);
  }
  // A body goes out at once: no server of ours is worth a round trip of asking first.
  list.Add("Expect:");
  if (request.bearer == nullptr) return {};
  if (HasLineEnd(request.bearer->Reveal())) {
    return InvalidArgument("bearer", "a credential must not hold a line end");
  }
  constexpr std::string_view kStart = "Authorization: Bearer ";
  std::string line;
  line.reserve(kStart.size() + request.bearer->size() + 1);  // it must not move while it grows
  line.append(kStart).append(request.bearer->Reveal());
  const bool is_added = list.Add(line);
  WipeString(line);
  if (!is_added) return Fail(ErrorCode::kResourceExhausted, "out of memory");
  return {};
}

// One answer while it arrives.
struct Reception {
  CURL* curl;
  const ClientRequest& request;
  ClientResponse response = {};
  bool is_refused_by_sink = false;
  bool is_too_large = false;
};

size_t OnHeader(char* data, size_t, size_t bytes, void* user) {
  auto& reception = *static_cast<Reception*>(user);
  const std::string_view line(data, bytes);
  if (line.starts_with("HTTP/")) {  // an interim answer came before
    reception.response.headers.clear();
    return bytes;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return bytes;
  std::string name(line.substr(0, colon));
  for (char& c : name) c = ToLowerAscii(c);
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.back() == '\r' || value.back() == '\n')) value.remove_suffix(1);
  reception.response.headers[std::move(name)] = TrimBlanks(value);
  return bytes;
}

size_t OnBody(char* data, size_t, size_t bytes, void* user) {
  auto& reception = *static_cast<Reception*>(user);
  long status = 0;
  curl_easy_getinfo(reception.curl, CURLINFO_RESPONSE_CODE, &status);
  if (reception.request.sink && status / 100 == 2) {
    reception.is_refused_by_sink = !reception.request.sink({data, bytes});
    return reception.is_refused_by_sink ? 0 : bytes;
  }
  reception.is_too_large = reception.response.body.size() + bytes > kMaxAnswerBytes;
  if (reception.is_too_large) return 0;
  reception.response.body.append(data, bytes);
  return bytes;
}

// The part of a URL that may be shown: no user information, no path.
std::string HostOf(const std::string& url) {
  struct FreeUrl {
    void operator()(CURLU* handle) const { curl_url_cleanup(handle); }
  };
  const std::unique_ptr<CURLU, FreeUrl> parsed(curl_url());
  std::string out;
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return url;
  for (const CURLUPart part : {CURLUPART_HOST, CURLUPART_PORT}) {
    char* text = nullptr;
    if (curl_url_get(parsed.get(), part, &text, 0) == CURLUE_OK) {
      out += out.empty() ? text : fmt::format(":{}", text);
    }
    curl_free(text);
  }
  return out;
}

Failure Explain(CURLcode code, const ClientRequest& request, const Reception& reception) {
  if (reception.is_refused_by_sink) return Fail(ErrorCode::kIo, "the answer could not be written");
  if (reception.is_too_large) return Fail(ErrorCode::kTooLarge, "the answer is too large");
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
    return InvalidArgument("url", fmt::format("{} is no http or https URL", request.url));
  }
  std::string text =
      fmt::format("cannot reach {}: {}", HostOf(request.url), curl_easy_strerror(code));
  return Failure(
      Error{.code = ErrorCode::kUnavailable, .detail = text, .public_message = std::move(text)});
}

class CurlClient final : public HttpClient {
 public:
  CurlClient(CURL* curl, std::string ca_file) : curl_(curl), ca_file_(std::move(ca_file)) {}
  ~CurlClient() override { curl_easy_cleanup(curl_); }
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;

  Result<ClientResponse> Send(const ClientRequest& request) override {
    HeaderList headers;
    P402_TRY(FillHeaders(request, headers));
    Reception reception{.curl = curl_, .request = request};
    curl_easy_reset(curl_);  // connections stay open
    SetTransport(request);
    SetMethod(request);
    curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, &OnHeader);
    curl_easy_setopt(curl_, CURLOPT_HEADERDATA, &reception);
    curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, &OnBody);
    curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &reception);
    const CURLcode code = curl_easy_perform(curl_);
    curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, nullptr);
    if (code != CURLE_OK) return Explain(code, request, reception);
    long status = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    reception.response.status = static_cast<int>(status);
    return std::move(reception.response);
  }

 private:
  void SetTransport(const ClientRequest& request) {
    curl_easy_setopt(curl_, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl_, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl_, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(curl_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(curl_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(curl_, CURLOPT_USERAGENT, "p402");
    curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    if (!ca_file_.empty()) curl_easy_setopt(curl_, CURLOPT_CAINFO, ca_file_.c_str());
  }

  void SetMethod(const ClientRequest& request) {
    if (request.method == "HEAD") {
      curl_easy_setopt(curl_, CURLOPT_NOBODY, 1L);
    } else if (!request.body.empty() || request.method == "POST") {
      curl_easy_setopt(curl_, CURLOPT_POST, 1L);
      curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, request.body.data());
      curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
    }
    curl_easy_setopt(curl_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }

  CURL* const curl_;
  const std::string ca_file_;
};

}  // namespace

Result<std::unique_ptr<HttpClient>> HttpClient::Create(std::string ca_file) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  CURL* const curl = curl_easy_init();
  if (curl == nullptr) return Fail(ErrorCode::kResourceExhausted, "curl cannot be set up");
  return std::make_unique<CurlClient>(curl, std::move(ca_file));
}

}  // namespace p402::net
