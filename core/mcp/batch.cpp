#include "mcp/batch.h"

namespace vmcp::mcp {

class Batch::Part final : public Exchange {
 public:
  Part(std::shared_ptr<Batch> batch, std::size_t slot) : batch_(std::move(batch)), slot_(slot) {}

  CancelFlag disconnected() const override { return batch_->inbound_->disconnected(); }
  void answer_by(SteadyTime deadline, std::function<void()> overrun) override {
    batch_->answer_by(slot_, deadline, std::move(overrun));
  }
  bool enter_blocking() override { return batch_->inbound_->enter_blocking(); }
  void leave_blocking() override { batch_->inbound_->leave_blocking(); }

 private:
  const std::shared_ptr<Batch> batch_;
  const std::size_t slot_;
};

Batch::Batch(InboundPtr inbound, std::vector<std::string> late, Finish finish)
    : inbound_(std::move(inbound)),
      late_(std::move(late)),
      finish_(std::move(finish)),
      slots_(late_.size()),
      open_(late_.size()) {}

std::shared_ptr<Exchange> Batch::exchange(std::size_t slot) {
  return std::make_shared<Part>(shared_from_this(), slot);
}

void Batch::put(std::size_t slot, std::string body) {
  std::vector<std::string> bodies;
  {
    const std::lock_guard lock(mutex_);
    if (slots_[slot].filled) return;
    slots_[slot].filled = true;
    slots_[slot].body = std::move(body);
    slots_[slot].overrun = nullptr;
    if (--open_ > 0) return;
    for (Slot& s : slots_) bodies.push_back(std::move(s.body));
  }
  finish_(std::move(bodies));
}

bool Batch::expired() const {
  const std::lock_guard lock(mutex_);
  return expired_;
}

void Batch::answer_by(std::size_t slot, SteadyTime deadline, std::function<void()> overrun) {
  {
    const std::lock_guard lock(mutex_);
    if (!expired_) {
      slots_[slot].overrun = std::move(overrun);
      if (armed_) return;
      armed_ = true;
    }
  }
  if (overrun) {  // started in the moment of expiry
    overrun();
    return;
  }
  inbound_->answer_by(deadline, [batch = weak_from_this()] {
    if (const auto self = batch.lock()) self->expire();
  });
}

// On the watch thread.
void Batch::expire() {
  std::vector<std::function<void()>> running;
  std::vector<std::size_t> idle;
  {
    const std::lock_guard lock(mutex_);
    expired_ = true;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].filled) continue;
      if (slots_[i].overrun)
        running.push_back(std::move(slots_[i].overrun));
      else
        idle.push_back(i);
    }
  }
  for (const auto& overrun : running) overrun();
  for (const std::size_t i : idle) put(i, late_[i]);
}

}  // namespace vmcp::mcp
