// What a worker does all day: takes an event, reads, runs the handler on a whole request.
#pragma once

namespace vmcp::http {

class Acceptor;
struct Transport;
struct Worker;

// Returns when the pool has no more use for the thread. No exception leaves it.
void work(Transport& transport, Acceptor& acceptor, Worker& self);

}  // namespace vmcp::http
