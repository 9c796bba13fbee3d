#include "tools/schema.h"

#include <exception>

#include "tools/schema_draft7.h"
#include "tools/schema_gate.h"
#include "tools/schema_node.h"

namespace vmcp::tools {

struct Schema::Impl {
  std::unique_ptr<const SchemaTree> tree;
  std::unique_ptr<const Draft7> draft7;  // null: the tree enforces everything
  std::vector<HeaderParam> header_params;
};

Schema::Schema(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Schema::~Schema() = default;

Result<std::shared_ptr<const Schema>> Schema::compile(std::string_view json_text, std::string_view what) {
  const auto named = [&](Error error) {
    error.text = std::string(what) + ": " + error.text;
    return error;
  };
  auto gated = gate_schema(json_text);
  if (!gated) return named(gated.error());
  auto params = header_params_of((*gated)->root);
  if (!params) return named(params.error());
  auto impl = std::make_unique<Impl>();
  impl->header_params = std::move(*params);
  impl->tree = std::make_unique<const SchemaTree>(**gated);
  if (!(*gated)->flat) {
    auto engine = Draft7::compile(**gated);
    if (!engine) return named(engine.error());
    impl->draft7 = std::move(*engine);
  }
  return std::shared_ptr<const Schema>(new Schema(std::move(impl)));
}

Result<void> Schema::check(const Json& value) const {
  Violations found;
  try {
    impl_->tree->check(value, found);
    if (found.lines.empty() && impl_->draft7) impl_->draft7->check(value, found);
  } catch (const std::exception& e) {
    return make_error(Code::internal, "The value could not be checked against its schema.", e.what());
  }
  if (found.lines.empty()) return {};
  std::string text;
  for (const std::string& line : found.lines) {
    if (!text.empty()) text += '\n';
    text += line;
  }
  if (found.more) text += "\n(and more)";
  return make_error(Code::invalid_argument, std::move(text));
}

const std::vector<HeaderParam>& Schema::header_params() const {
  return impl_->header_params;
}

}  // namespace vmcp::tools
