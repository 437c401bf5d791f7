#include "api/core.h"
#include "api/handlers.h"
#include "api/routes.h"

namespace p402::api {

void ShowLive(Call call, const net::Request&) {
  Send(std::move(call), JsonResponse(200, R"({"status":"alive"})"));
}

void ShowReady(Call call, const net::Request&) {
  if (call.core.is_ready())
    return Send(std::move(call), JsonResponse(200, R"({"status":"ready"})"));
  const feed::Progress progress = call.core.parts().feed.progress();
  std::string body;
  ObjectWriter object(body);
  // A whole index that may not be used: the feed has stopped, or its log cannot be right.
  object.Text("status", progress.is_ready ? "not_current" : "loading");
  object.Number("loaded", progress.loaded);
  object.Number("total", progress.total);
  object.End();
  net::Response response = JsonResponse(503, std::move(body));
  response.headers.emplace_back("Retry-After", "1");
  Send(std::move(call), std::move(response));
}

void ShowOpenApi(Call call, const net::Request&) {
  net::Response response;
  response.content_type = "application/yaml";
  response.body = OpenApiText();
  Send(std::move(call), std::move(response));
}

}  // namespace p402::api
