#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace p402 {

using MetricLabels = std::map<std::string, std::string>;

// A count that only grows.
// Threads: safe to call concurrently; Add is wait-free (one relaxed add on a stripe of this thread's).
class Counter {
 public:
  virtual ~Counter() = default;
  virtual void Add(uint64_t count = 1) = 0;
  virtual uint64_t Value() const = 0;
};

// A distribution of durations in seconds over fixed buckets.
// Threads: safe to call concurrently.
class Histogram {
 public:
  virtual ~Histogram() = default;
  // `count` things took as long as that.
  virtual void Observe(double seconds, uint64_t count = 1) = 0;
};

// The metrics of one server process, in Prometheus' text format (names start with p402_, units are
// base units, labels are bounded: never a key id).
// Threads:  safe to call concurrently.
// Lifetime: what it returns lives as long as it does.
class Metrics {
 public:
  static std::unique_ptr<Metrics> Create();
  virtual ~Metrics() = default;

  // The same name and labels give the same object.
  virtual Counter& counter(const std::string& name, const std::string& help,
                           const MetricLabels& labels = {}) = 0;
  virtual Histogram& histogram(const std::string& name, const std::string& help,
                               const MetricLabels& labels = {}) = 0;
  // `read` is called at every exposition, from any thread.
  virtual void AddGauge(const std::string& name, const std::string& help,
                        const MetricLabels& labels, std::function<double()> read) = 0;
  virtual std::string Expose() const = 0;
};

}  // namespace p402
