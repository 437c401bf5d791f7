#include "api/testing/world.h"

#include <boost/json/parse.hpp>

#include "base/check.h"
#include "base/file.h"
#include "net/ascii.h"
#include "store/memory/memory_store.h"

namespace p402::api::testing {
namespace {

class Inbox final : public net::Responder::Target {
 public:
  explicit Inbox(Executor& executor) : executor_(executor) {}
  void Send(net::Response response) override {
    P402_CHECK(!response_);
    response_ = std::move(response);
  }
  Executor& executor() override { return executor_; }
  const std::optional<net::Response>& response() const { return response_; }

 private:
  Executor& executor_;
  std::optional<net::Response> response_;
};

// The store in memory, with a backup that is a given text.
class StoreWithBackup final : public store::Store {
 public:
  StoreWithBackup(std::unique_ptr<store::Store> store, std::string bytes)
      : store_(std::move(store)), bytes_(std::move(bytes)) {}
  const Uuid& id() const override { return store_->id(); }
  void Commit(store::Plan plan, Callback<Result<store::Committed>> done) override {
    store_->Commit(std::move(plan), std::move(done));
  }
  store::Keys& keys() override { return store_->keys(); }
  store::Accounts& accounts() override { return store_->accounts(); }
  store::ChangeLog& log() override { return store_->log(); }
  store::Usage& usage() override { return store_->usage(); }
  store::Audit& audit() override { return store_->audit(); }
  void Backup(std::filesystem::path target, Callback<Status> done) override {
    std::move(done)(WriteFileAtomically(target, bytes_, 0600));
  }

 private:
  std::unique_ptr<store::Store> store_;
  std::string bytes_;
};

std::unique_ptr<store::Store> MakeStore(const World::Setup& setup, const Clock& clock,
                                        Random& random) {
  auto store = store::memory::Create(clock, random);
  if (!setup.backup) return store;
  return std::make_unique<StoreWithBackup>(std::move(store), *setup.backup);
}

// What a client gets of a direct answer.
net::Response ResponseOf(const net::DirectAnswer& answer) {
  net::Response response{.status = answer.status, .body = std::string(answer.body)};
  std::string_view lines = answer.header_lines;
  while (!lines.empty()) {
    const size_t end = lines.find("\r\n");
    const size_t colon = lines.find(": ");
    P402_CHECK(colon < end && end != std::string_view::npos);
    const std::string name(lines.substr(0, colon));
    std::string value(lines.substr(colon + 2, end - colon - 2));
    if (name == "Content-Type") {
      response.content_type = std::move(value);
    } else {
      response.headers.emplace_back(name, std::move(value));
    }
    lines.remove_prefix(end + 2);
  }
  return response;
}

// As the server does.
void Deliver(net::Handler& handler, const net::Request& request,
             const std::shared_ptr<Inbox>& inbox) {
  std::string scratch;
  if (const auto answer = handler.AnswerDirectly(request, scratch)) {
    return inbox->Send(ResponseOf(*answer));
  }
  handler.OnRequest(request, net::Responder(inbox));
}

Answer ToAnswer(const net::Response& response) {
  return Answer{.status = response.status,
                .content_type = response.content_type,
                .headers = response.headers,
                .body = response.body,
                .is_secret = response.is_secret,
                .close = response.close,
                .file_bytes = response.file_bytes};
}

}  // namespace

std::string Answer::Header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (net::EqualsIgnoreCase(known, name)) return value;
  }
  return {};
}

bool Answer::HasHeader(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (net::EqualsIgnoreCase(known, name)) return true;
  }
  return false;
}

boost::json::value Answer::Json() const {
  boost::system::error_code error;
  auto value = boost::json::parse(body, error);
  P402_CHECK(!error);
  return value;
}

std::string Answer::Text(std::string_view member) const {
  const auto value = Json();
  const auto* found = value.as_object().if_contains(member);
  if (found == nullptr || !found->is_string()) return {};
  return std::string(found->as_string());
}

Message::Message(const Ask& ask) : text(ask), all(ask.headers) {
  if (!text.key.empty()) all.emplace_back("Authorization", "Bearer " + text.key);
  const bool is_typed = !text.body.empty() && !text.content_type.empty();
  if (is_typed) all.emplace_back("Content-Type", text.content_type);
  for (const auto& [name, value] : all) views.push_back({.name = name, .value = value});
  const std::string_view target = text.target;
  const size_t mark = target.find('?');
  request.method = text.method;
  request.target = target;
  request.path = target.substr(0, mark);
  if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
  request.headers = views;
  request.body = text.body;
  request.peer = text.peer;
}

struct World::Impl {
  explicit Impl(Setup a_setup) : setup(std::move(a_setup)) {}

  template <class T, class Start>
  T Wait(Start start) {
    std::optional<T> got;
    start(Callback<T>(scheduler, [&got](T value) { got.emplace(std::move(value)); }));
    scheduler.RunUntilIdle();
    P402_CHECK(got.has_value());
    return *std::move(got);
  }

  void Bootstrap() {
    using Created = Result<service::CreatedAccount>;
    auto created = Wait<Created>(
        [&](Callback<Created> done) { accounts.Bootstrap("First", std::move(done)); });
    P402_CHECK(created.has_value());
    setup.options.first_account = created->account.id;
    root_key = created->key.raw_key.Reveal();
    root_id = created->key.record.id;
  }

  void StartFeed() {
    const auto started = Wait<Status>([&](Callback<Status> done) { feed.Start(std::move(done)); });
    P402_CHECK(started.has_value());
  }

  Setup setup;
  p402::testing::FakeClock clock;
  p402::testing::SeededRandom random;
  p402::testing::ManualScheduler scheduler{clock};
  p402::testing::MemoryLog log;
  std::unique_ptr<Metrics> metrics = Metrics::Create();
  std::unique_ptr<store::Store> store = MakeStore(setup, clock, random);
  Uuid7Generator ids{clock, random};
  index::Index index{"p402"};
  feed::Feed feed{*store, index, scheduler, clock, log, *metrics};
  service::Keys keys{{}, *store, feed, index, clock, random, ids, log, *metrics};
  service::Accounts accounts{{}, *store, feed, clock, random, ids};
  service::Audit audit{*store, random, log};
  service::Authenticator authenticator{index, feed, clock};
  service::Verifier verifier{index, feed, clock};
  limit::Throttle throttle{setup.throttle};
  std::string root_key;
  key::KeyId root_id;
  std::unique_ptr<Api> api;
};

World::World() : World(Setup{}) {}

World::World(Setup setup) : impl_(std::make_unique<Impl>(std::move(setup))) {
  Impl& i = *impl_;
  i.Bootstrap();
  if (i.setup.starts) i.StartFeed();
  P402_CHECK(CheckOptions(i.setup.options).has_value());
  i.api = std::make_unique<Api>(Parts{.keys = i.keys,
                                      .accounts = i.accounts,
                                      .audit = i.audit,
                                      .authenticator = i.authenticator,
                                      .verifier = i.verifier,
                                      .feed = i.feed,
                                      .store = *i.store,
                                      .throttle = i.throttle,
                                      .clock = i.clock,
                                      .ids = i.ids,
                                      .log = i.log,
                                      .metrics = *i.metrics},
                                i.setup.options);
}

World::~World() {
  impl_->feed.Stop();
  impl_->scheduler.RunUntilIdle();
}

Answer World::Send(const Ask& ask, net::Handler* handler) {
  const Message message(ask);
  auto inbox = std::make_shared<Inbox>(impl_->scheduler);
  Deliver(handler == nullptr ? *impl_->api : *handler, message.request, inbox);
  Run();
  P402_CHECK(inbox->response().has_value());
  return ToAnswer(*inbox->response());
}

Answer World::SendAnd(const Ask& ask, const std::function<void()>& meanwhile) {
  const Message message(ask);
  auto inbox = std::make_shared<Inbox>(impl_->scheduler);
  Deliver(*impl_->api, message.request, inbox);
  meanwhile();
  Run();
  P402_CHECK(inbox->response().has_value());
  return ToAnswer(*inbox->response());
}

void World::Run() {
  impl_->scheduler.RunUntilIdle();
}
void World::StartFeed() {
  impl_->StartFeed();
}

Answer World::Post(const std::string& target, const std::string& body) {
  return Send({.method = "POST", .target = target, .key = root_key(), .body = body});
}
Answer World::Get(const std::string& target) {
  return Send({.target = target, .key = root_key()});
}

Api& World::api() {
  return *impl_->api;
}
feed::Feed& World::feed() {
  return impl_->feed;
}
index::Index& World::index() {
  return impl_->index;
}
p402::testing::FakeClock& World::clock() {
  return impl_->clock;
}
p402::testing::MemoryLog& World::log() {
  return impl_->log;
}
const std::string& World::root_key() const {
  return impl_->root_key;
}
const key::KeyId& World::root_id() const {
  return impl_->root_id;
}
const key::AccountId& World::first_account() const {
  return impl_->setup.options.first_account;
}

}  // namespace p402::api::testing
