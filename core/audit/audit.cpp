#include "audit/audit.h"

#include <utility>

#include "audit/archive.h"
#include "audit/coalescer.h"
#include "audit/encode.h"
#include "audit/journal.h"
#include "audit/tail.h"
#include "audit/view.h"
#include "audit/writer.h"

namespace vmcp::audit {
namespace {

constexpr milliseconds kLongestGoodbye{10'000};
constexpr const char* kRefusal =
    "the audit cannot be written; changing tools are refused until the operator repairs it";

Error refusal() {
  return make_error(Code::unavailable, kRefusal);
}

}  // namespace

struct Audit::Impl {
  Impl(Settings s, const Clock& c) : settings(std::move(s)), clock(c) {}

  const Settings settings;
  const Clock& clock;
  std::shared_ptr<Coalescer> coalescer;
  std::shared_ptr<View> view;
  std::shared_ptr<Writer> writer;
};

Result<std::unique_ptr<Audit>> Audit::open(Settings settings, const Clock& clock, Log& log,
                                           std::unique_ptr<JournalFile> file) {
  auto impl = std::make_unique<Impl>(std::move(settings), clock);
  const Settings& s = impl->settings;
  const bool own_file = !file && !s.journal_file.empty();
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Archive> archive;
  Tail tail;
  if (file || own_file) {
    if (s.chain_key.empty()) return make_error(Code::internal, "the journal has no chain key");
    ChainMac mac(s.chain_key);
    if (!s.journal_file.empty()) {
      auto found = recover_journal(s.journal_file, mac);
      if (!found) return found.error();
      tail = std::move(*found);
    }
    if (own_file) {
      auto opened = open_journal_file(s.journal_file);
      if (!opened) return opened.error();
      file = std::move(*opened);
    }
    Journal::Place place;
    if (own_file) {
      place = {s.journal_file, s.segment_bytes, s.segment_age, !s.signing_key.empty(), s.at_point};
      if (place.segmented) {
        auto signer = Signer::make(s.signing_key);
        if (!signer) return signer.error();
        archive = std::make_unique<Archive>(Archive::Settings{s.journal_file, s.keep_days, s.at_point},
                                            std::move(*signer), clock);
      }
    }
    journal = std::make_unique<Journal>(std::move(file), std::move(place), std::move(mac), tail.head);
    // What cannot be written now is written before the first record; a full disk stops no start.
    if (auto ok = journal->begin(clock); !ok) log.warning("audit_begin", {{"cause", ok.error().text}});
  }
  auto view = View::open(s);
  if (!view) return view.error();
  impl->view = *view;
  impl->coalescer = std::make_shared<Coalescer>(clock, s.max_args_bytes);
  impl->writer = std::make_shared<Writer>(
      Writer::Parts{std::move(journal), std::move(archive), impl->view, impl->coalescer, s.sync_timeout},
      clock, log);
  if (tail.torn_bytes > 0) {
    const std::string note = "an unfinished last line of " + std::to_string(tail.torn_bytes) +
                             " bytes was moved to " + tail.torn_file;
    log.warning("journal_torn", {{"what", note}});
    impl->writer->note(encode_note(note, {}, clock.wall()));
  }
  impl->writer->start();
  return std::unique_ptr<Audit>(new Audit(std::move(impl)));
}

Audit::Audit(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Audit::~Audit() {
  const milliseconds limit = std::min(impl_->settings.sync_timeout + milliseconds(1000), kLongestGoodbye);
  impl_->writer->stop(limit);
  impl_->view->stop(milliseconds(2000));
}

Result<void> Audit::durable(const Record& record) {
  const bool is_intent = record.event == Event::intent;
  const Waiter end = impl_->writer->durable(
      encode_body(record, impl_->clock.wall(), impl_->settings.max_args_bytes), !is_intent);
  if (end.state == Waiter::State::durable) return {};
  if (end.state == Waiter::State::doubtful && is_intent) {
    // The intent may be found on the disk one day, but its call is refused now: this line says so.
    Record mark = record;
    mark.event = Event::refused;
    mark.step = "intent";
    mark.rule = "audit";
    mark.code = code_name(Code::unavailable);
    mark.error = kRefusal;
    mark.ok = false;
    const std::string body = encode_body(mark, impl_->clock.wall(), impl_->settings.max_args_bytes);
    impl_->writer->buffered(body + ",\"voids\":" + std::to_string(end.seq), true);
  }
  return refusal();
}

void Audit::buffered(const Record& record) {
  if (record.event != Event::refused) {
    impl_->writer->buffered(encode_body(record, impl_->clock.wall(), impl_->settings.max_args_bytes));
    return;
  }
  std::vector<std::string> bodies;
  impl_->coalescer->refused(record, bodies);
  for (const std::string& body : bodies) impl_->writer->buffered(body);
}

bool Audit::healthy() const {
  return impl_->writer->healthy();
}

Result<std::string> Audit::rotate(milliseconds limit) {
  return impl_->writer->rotate(limit);
}

bool Audit::flush(milliseconds limit) {
  return impl_->writer->flush(limit);
}

}  // namespace vmcp::audit
