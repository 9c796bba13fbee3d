// The Pipeline of the server: runs the list of steps.h over the services.
#pragma once

#include "pipeline/explain.h"
#include "pipeline/pipeline.h"
#include "pipeline/services.h"

namespace vmcp::pipeline {

class GuardedPipeline final : public Pipeline {
 public:
  explicit GuardedPipeline(Services services);

  ContextPtr again(const Context& context) override;
  void trace(Context& context, std::string_view traceparent) override;
  ContextPtr open(const Ingress& ingress) override;
  Result<void> admit(Context& context, const Ingress& ingress) override;
  void refused(const Context& context, std::string_view step, const Error& error) override;
  Result<void> throttle_method(Context& context) override;
  Result<ToolPage> list_tools(const Context& context, std::string_view cursor,
                              std::size_t page_size) override;
  Result<Page> list(const Context& context, List what, std::string_view cursor,
                    std::size_t page_size) override;
  bool may_read(const Context& context, std::string_view uri) override;
  bool may_hear(const Principal& caller) const override;
  Result<std::shared_ptr<void>> watch(const Context& context, const std::string& uri,
                                      std::function<void()> changed) override;
  void record(const Context& context, std::string_view subject, bool ok) override;
  tools::ToolPtr find_tool(const Context& context, std::string_view name) override;
  bool follow(const std::string& parked, std::function<void(const std::string& task_info)> ended) override;
  std::string save(const Context& context) override;
  ContextPtr load(const std::string& saved) override;
  void call_tool(ContextPtr context, ToolCall call, std::shared_ptr<Exchange> exchange, Done done) override;

  // See explain.h. [any thread; blocks]
  Json explain(const Question& question) { return pipeline::explain(services_, question); }

 private:
  void fill(audit::Record& record, const Context& context) const;
  void refused(const Context& context, std::string_view step, const Error& error, std::string_view subject);
  Services services_;
  std::vector<tools::Resource> vcenters_;  // vsphere://NAME/ of each that is configured
};

}  // namespace vmcp::pipeline
