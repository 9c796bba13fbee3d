#include "config/sources.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "config/dotenv.h"
#include "config/files.h"

namespace vmcp::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLongPrefix = "VMCP__";
// Shorter names resemble too much that is not ours.
constexpr std::size_t kLongEnoughToGuess = 8;

class Collector {
 public:
  Collector(const Options& options, Problems& problems, std::vector<std::string>& warnings)
      : options_(options), problems_(problems), warnings_(warnings) {}

  Sources run() {
    add_toml_files();
    add_env_file();
    add_environment();
    add_flags();
    return std::move(out_);
  }

 private:
  void problem(const Origin& at, std::string what, std::string fix) {
    problems_.push_back({at, std::move(what), std::move(fix)});
  }

  // ---- TOML
  void add_toml_files() {
    std::string path = options_.config_file;
    if (path.empty())
      for (const auto& [name, value] : options_.environment)
        if (name == kConfigVariable) path = value;
    const bool asked_for = !path.empty();
    if (!asked_for && !options_.demo) path = options_.default_config_file;
    std::error_code error;
    if (path.empty() || (!asked_for && !fs::exists(path, error))) return;
    add_toml_file(path);
    for (const auto& further : toml_files_in((fs::path(path).parent_path() / "conf.d").string()))
      add_toml_file(further);
  }

  void add_toml_file(const std::string& path) {
    std::string text, why, fix;
    if (!read_config_file(path, kMaxConfigBytes, text, why, fix)) {
      problem(Origin{Layer::file, path}, "the configuration file " + why, fix);
      out_.broken = true;
      return;
    }
    out_.files.push_back(path);
    Node root;
    if (!node_from_toml(text, path, root, problems_)) {
      out_.broken = true;
      return;
    }
    in_this_source_.clear();
    walk(root, "");
    const bool holds_secret = std::any_of(in_this_source_.begin(), in_this_source_.end(), [](const auto& e) {
      return e.first->secret && !e.second.from_file && e.first->type != Type::tree;
    });
    if (holds_secret && readable_by_all(path))
      warnings_.push_back(path + " holds a password and everyone on this machine may read it: chmod 640 " +
                          path);
  }

  void walk(const Node& table, const std::string& prefix) {
    for (const auto& [name, node] : table.fields) {
      const std::string key = prefix + name;
      bool from_file = false;
      if (const Row* row = find_key(key, from_file)) {
        put(*row, node, from_file, key);
      } else if (is_section(key) && node.kind == Node::Kind::table) {
        walk(node, key + ".");
      } else {
        const std::string near = nearest_key(key);
        problem(node.where, "unknown key " + in_quotes(key),
                near.empty() ? "remove it; check-config --reference lists every key"
                             : "did you mean " + near + "?");
      }
    }
  }

  static bool is_section(const std::string& key) {
    return std::any_of(table().begin(), table().end(),
                       [&](const Row& row) { return row.key.starts_with(key + "."); });
  }

  // ---- variables
  void add_env_file() {
    const bool asked_for = !options_.env_file.empty();
    const std::string path = asked_for ? options_.env_file : options_.demo ? "" : options_.default_env_file;
    std::error_code error;
    if (path.empty() || (!asked_for && !fs::exists(path, error))) return;
    std::string text, why, fix;
    if (!read_config_file(path, kMaxConfigBytes, text, why, fix)) {
      problem(Origin{Layer::env_file, path}, "the .env file " + why, fix);
      out_.broken = true;
      return;
    }
    out_.files.push_back(path);
    const std::size_t before = problems_.size();
    const auto takes_json = [](std::string_view name) {
      bool from_file = false, long_name = false;
      const Row* row = find_variable(name, from_file, long_name);
      return row != nullptr && row->type == Type::tree && !from_file;
    };
    const auto entries = parse_dotenv(text, path, takes_json, problems_);
    out_.broken = out_.broken || problems_.size() != before;
    in_this_source_.clear();
    for (const auto& entry : entries)
      add_variable(entry.name, entry.value,
                   Origin{Layer::env_file, path, entry.value_line, entry.value_column, entry.name});
  }

  void add_environment() {
    in_this_source_.clear();
    for (const auto& [name, value] : options_.environment)
      add_variable(name, value, Origin{Layer::environment, name});
  }

  void add_variable(const std::string& name, const std::string& value, const Origin& at) {
    bool from_file = false, long_name = false;
    const Row* row = find_variable(name, from_file, long_name);
    if (row == nullptr) return unknown_variable(name, at);
    if (value.empty()) return;  // as if it were not there: compose files and unit files pass empty ones
    Node node;
    node.text = value;
    node.where = at;
    put(*row, node, from_file, name);
  }

  // An environment is full of names that are not ours. One that is nearly ours is a slip, and a slip in
  // READ_ONLY must not start a server that writes.
  void unknown_variable(const std::string& name, const Origin& at) {
    if (name == kConfigVariable) return;
    if (name.starts_with(kLongPrefix)) {
      const std::string near = nearest_variable(name, 6);
      return problem(at, "unknown variable " + in_quotes(name),
                     near.empty() ? "unset it; check-config --reference lists every setting"
                                  : "did you mean " + near + "?");
    }
    const std::string near = name.size() < kLongEnoughToGuess ? "" : nearest_variable(name, 1);
    if (!near.empty())
      return problem(at, in_quotes(name) + " is no setting, and " + near + " is nearly the same name",
                     "rename it to " + near + ", or unset it");
    if (at.layer == Layer::env_file)
      warnings_.push_back(at.name + ":" + std::to_string(at.line) + ": " + in_quotes(name) +
                          " is no setting of this server and is ignored");
  }

  // ---- flags
  void add_flags() {
    for (const auto& flag : options_.flags) {
      const Origin at{Layer::flag, flag.name};
      bool from_file = false;
      const Row* row = find_key(flag.key, from_file);
      if (row == nullptr) {
        problem(at, "unknown setting " + in_quotes(flag.key), "use one of check-config --reference");
        continue;
      }
      Node node;
      node.text = flag.value;
      node.where = at;
      in_this_source_.clear();
      put(*row, node, from_file, flag.name);
    }
  }

  // ---- all
  struct Seen {
    std::string name;
    Node node;
    bool from_file = false;
  };

  void put(const Row& row, const Node& node, bool from_file, const std::string& name) {
    const auto [seen, fresh] = in_this_source_.try_emplace(&row, Seen{name, node, from_file});
    if (!fresh) {
      // Twice the same is harmless; two different ones would be a guess.
      const Seen& first = seen->second;
      const bool same = !node.typed && first.from_file == from_file && first.node.text == node.text;
      if (!same) problem(node.where, name + " and " + first.name + " are both set", "keep one of the two");
      return;
    }
    Found& target = out_.found[&row];
    const bool joins = row.type == Type::tree && !from_file && !target.from_file &&
                       node.where.layer == Layer::file && target.node.where.layer == Layer::file &&
                       target.node.kind == node.kind;
    if (joins) {
      // Entries of several files add up, so that a package can drop its own file into conf.d.
      target.node.items.insert(target.node.items.end(), node.items.begin(), node.items.end());
      target.node.fields.insert(target.node.fields.end(), node.fields.begin(), node.fields.end());
      return;
    }
    target = Found{node, from_file};
  }

  const Options& options_;
  Problems& problems_;
  std::vector<std::string>& warnings_;
  Sources out_;
  std::map<const Row*, Seen> in_this_source_;
};

}  // namespace

Sources collect(const Options& options, Problems& problems, std::vector<std::string>& warnings) {
  return Collector(options, problems, warnings).run();
}

std::vector<std::pair<std::string, std::string>> process_environment() {
  std::vector<std::pair<std::string, std::string>> out;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view line(*at);
    if (const auto equal = line.find('='); equal != std::string_view::npos)
      out.emplace_back(line.substr(0, equal), line.substr(equal + 1));
  }
  return out;
}

}  // namespace vmcp::config
