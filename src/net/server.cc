#include "net/server.h"

#include <unistd.h>

#include <system_error>
#include <utility>

#include "base/check.h"
#include "net/listen.h"
#include "net/tls.h"
#include "net/worker.h"

namespace p402::net {
namespace {

class ServerImpl final : public Server {
 public:
  ServerImpl(const ServerOptions& options, const Clock& clock, Log& log, Metrics& metrics)
      : shared_(std::make_shared<Shared>(options, clock, log, metrics)) {
    for (int i = 0; i < options.threads; ++i) {
      workers_.push_back(std::make_shared<Worker>(shared_, i));
    }
    metrics.AddGauge("p402_http_connections", "Open HTTP connections.", {}, [shared = shared_] {
      return static_cast<double>(shared->open.load(std::memory_order_relaxed));
    });
  }

  ~ServerImpl() override {
    Stop();
    RemoveUnixSockets();
  }

  Status CheckLoops() const {
    for (const auto& worker : workers_) {
      if (!worker->loop().is_open()) return Fail(ErrorCode::kIo, "no descriptors are left");
    }
    return {};
  }

  Status AddListener(const Listener& listener) {
    auto port = std::make_unique<Port>();
    if (listener.tls) {
      P402_TRY(SslContext context, LoadTls(*listener.tls));
      port->tls = std::make_unique<TlsSlot>(*listener.tls, std::move(context));
    }
    P402_TRY(Bound bound, net::Bind(listener.address, static_cast<int>(workers_.size())));
    port->address = std::move(bound.address);
    port->unix_path = std::move(bound.unix_path);
    for (size_t i = 0; i < workers_.size(); ++i) {
      workers_[i]->AddListener(*port, std::move(bound.sockets[i]));
    }
    ports_.push_back(std::move(port));
    return {};
  }

  Status Serve(const std::vector<Handler*>& handlers) override {
    P402_CHECK(handlers.size() == ports_.size());
    for (size_t i = 0; i < ports_.size(); ++i) ports_[i]->handler = handlers[i];
    try {
      for (const auto& worker : workers_) worker->Start();
    } catch (const std::system_error& error) {  // std::thread
      return Fail(ErrorCode::kIo, error.what());
    }
    return {};
  }

  std::vector<std::string> addresses() const override {
    std::vector<std::string> out;
    for (const auto& port : ports_) out.push_back(port->address);
    return out;
  }

  Status ReloadTls() override {
    std::vector<std::pair<TlsSlot*, SslContext>> loaded;
    for (const auto& port : ports_) {
      if (!port->tls) continue;
      P402_TRY(SslContext context, LoadTls(port->tls->files()));
      loaded.emplace_back(port->tls.get(), std::move(context));
    }
    for (auto& [slot, context] : loaded) slot->Set(std::move(context));
    return {};
  }

  size_t Drain(Millis grace) override {
    shared_->is_draining = true;
    for (const auto& worker : workers_) worker->Drain();
    RemoveUnixSockets();
    {
      std::unique_lock lock(shared_->mutex);
      shared_->all_closed.wait_for(lock, grace, [this] {
        return shared_->drained_workers >= workers_.size() && shared_->open == 0;
      });
    }
    return Stop();
  }

 private:
  size_t Stop() {
    size_t cut = 0;
    for (const auto& worker : workers_) cut += worker->Stop();
    return cut;
  }

  void RemoveUnixSockets() {
    for (const auto& port : ports_) {
      if (!port->unix_path.empty()) unlink(std::exchange(port->unix_path, {}).c_str());
    }
  }

  const std::shared_ptr<Shared> shared_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::vector<std::shared_ptr<Worker>> workers_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::Bind(ServerOptions options, const Clock& clock, Log& log,
                                             Metrics& metrics) {
  if (options.threads < 1) return InvalidArgument("threads", "at least one thread is needed");
  auto server = std::make_unique<ServerImpl>(options, clock, log, metrics);
  P402_TRY(server->CheckLoops());
  for (const Listener& listener : options.listeners) {
    P402_TRY(server->AddListener(listener));
  }
  return server;
}

Result<std::unique_ptr<Server>> Server::Start(ServerOptions options, const Clock& clock, Log& log,
                                              Metrics& metrics) {
  std::vector<Handler*> handlers;
  for (const Listener& listener : options.listeners) handlers.push_back(listener.handler);
  P402_TRY(auto server, Bind(std::move(options), clock, log, metrics));
  P402_TRY(server->Serve(handlers));
  return server;
}

}  // namespace p402::net
