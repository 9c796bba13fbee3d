// What a plugin offers besides tools, in a trial: every resource read, one URI of each template, every prompt
// made, every argument of them completed.
#pragma once

#include <string>
#include <vector>

#include "plugin_check/refusing_vcenter.h"
#include "plugin_check/subject.h"
#include "plugin_check/watched_calls.h"
#include "plugin_host/plugin.h"

namespace vmcp::plugin_check {

// "{scheme}://a/{id}{?x,y}": RFC 6570 as far as its simple lists go; `value_of` gives the variables.
std::string expand_template(const std::string& uri_template,
                            const std::function<std::string(const std::string&)>& value_of);
std::vector<std::string> variables_of(const std::string& uri_template);

class OfferCalls {
 public:
  // All outlive it. The subject is started. The answering vCenter is needed only when something asks.
  OfferCalls(Subject& subject, const plugin_host::Plugin& declared, std::uint64_t seed,
             SiteOnDemand answering, Reporter& report);
  std::size_t run();

 private:
  std::size_t against(Site& site);
  std::size_t read(const std::string& uri, const std::string& mime_type, bool listed, Site& site);
  std::size_t read_unknown(Site& site);
  std::size_t make_prompt(std::size_t index, Site& site);
  std::size_t complete(const Json& reference, const std::string& argument, Site& site);
  std::size_t complete_all(Site& site);
  std::size_t stress(const Callable& what);
  Callable base(std::string name, std::string arguments, plugin_host::Produces produces, Site& site);
  Callable reading(const std::string& uri, Site& site);
  Json prompt_arguments(const plugin_host::PromptDeclaration& prompt, Site& site);
  std::string value_for(const std::string& variable, Site& site);
  void judge_contents(const plugin_host::Invocation& invocation, const std::string& mime_type);

  Subject& subject_;
  const plugin_host::Plugin& declared_;
  const SiteOnDemand answering_;
  Reporter& report_;
  Random random_;
  RefusingVcenter refusing_;
  WatchedCalls calls_;
};

}  // namespace vmcp::plugin_check
