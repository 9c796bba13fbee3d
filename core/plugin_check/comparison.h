// The same calls in this process and in one of its own, as the server runs third-party plugins: there are no
// files, no environment and no network, and rounds of one call need not meet the same process.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "plugin_check/observed_host.h"
#include "plugin_check/reporter.h"
#include "plugin_check/site.h"
#include "plugin_host/library.h"
#include "plugin_host/plugin.h"

namespace vmcp::plugin_check {

struct Compared {
  plugin_host::EntryFunction entry = nullptr;  // of the library in this process
  const plugin_host::SealedLibrary* library = nullptr;
  const plugin_host::Manifest* manifest = nullptr;
  std::vector<tools::ToolPtr> tools;
  std::vector<std::string> asking;  // names of those that asked a vCenter before
  std::string config;
  std::string runner;  // path of the program that a process of its own runs
  std::uint64_t seed = 1;
  SiteOnDemand answering;
};

class Comparison {
 public:
  // All that `what` points to outlives it, as do `log` and `report`.
  Comparison(Compared what, HeardLog& log, Reporter& report);
  // Gives how many calls were made, in whatever process.
  std::size_t run();

 private:
  struct Planned {
    const tools::Tool* tool = nullptr;
    Json arguments;
    Site* answering = nullptr;  // null: all that it asks is refused
    std::uint64_t seed = 0;
  };
  // What is visible of one round from outside.
  struct Outcome {
    vmcp_status status = VMCP_OK;
    std::vector<std::string> texts, blocks;
    std::string structured, failure, awaited;
    std::map<std::string, std::string> requests;
    bool operator==(const Outcome&) const = default;
  };
  struct Transcript {
    std::vector<Outcome> rounds;
    bool late = false;  // ended so near its deadline that the clock may have decided how
    // What the second round began with.
    std::string state;
    std::map<std::string, std::string> inputs;
  };
  using PluginPtr = std::shared_ptr<plugin_host::Plugin>;

  void plan();
  PluginPtr open_here();
  PluginPtr open_apart();
  Transcript play(const plugin_host::Plugin& plugin, const Planned& call);
  // After a call that was late, or that was so in `before`, the tool's others are left out as if late too.
  std::vector<Transcript> play_all(const plugin_host::Plugin& plugin, const std::vector<Transcript>& before);
  Outcome resume(const plugin_host::Plugin& plugin, const Planned& call, const Transcript& begun);
  void judge(std::size_t index, const plugin_host::Plugin& here, const plugin_host::Plugin& apart);
  bool differs_each_time(std::size_t index, const plugin_host::Plugin& here,
                         const plugin_host::Plugin& apart);
  void judge_resumed();
  bool is_steady(std::size_t index) const;
  static std::string difference(const Transcript& here, const Transcript& apart);
  static std::string in_words(const Outcome& outcome);

  const Compared what_;
  HeardLog& log_;
  Reporter& report_;
  std::vector<Planned> planned_;
  std::vector<Transcript> first_, apart_, second_;  // of each planned call: here, apart, here again
  std::size_t made_ = 0;
};

}  // namespace vmcp::plugin_check
