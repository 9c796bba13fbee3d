#include "plugin_check/reporter.h"

#include <unistd.h>

#include <cerrno>

namespace vmcp::plugin_check {

void Reporter::at(const std::string& where, const std::string& arguments) {
  where_ = where;
  arguments_ = arguments;
  write({{"at", where}, {"arguments", arguments}});
}

void Reporter::found(const std::string& name, const std::string& saw) {
  write({{"finding", to_json({name, where_, saw, arguments_})}});
}

void Reporter::found_at(const std::string& where, const std::string& name, const std::string& saw) {
  write({{"finding", to_json({name, where, saw, {}})}});
}

void Reporter::note(const std::string& text) {
  write({{"note", text}});
}

void Reporter::done(bool usable, std::size_t calls, bool asked) {
  write({{"done", true}, {"usable", usable}, {"calls", calls}, {"asked", asked}});
}

void Reporter::write(const Json& line) {
  const std::string text = dump_json(line) + "\n";
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t n = ::write(fd_, text.data() + sent, text.size() - sent);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) ::_exit(1);
    sent += static_cast<std::size_t>(n);
  }
}

}  // namespace vmcp::plugin_check
