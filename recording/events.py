"""What events in ``events.jsonl`` are called, by who writes them; comments say what is in them."""

# The load (locustfiles)
WORKER_JOINED = "worker_joined"  # worker
WORKER_LOST = "worker_lost"  # worker
AWAITING_WORKERS = "awaiting_workers"  # workers
STRANGERS_REFUSED = "strangers_refused"  # messages
PHASE_STARTED = "phase_started"  # phase, measured; paused: the load stands still
SLOTS_STARTED = "slots_started"  # start_s
PHASES_ENDED = "phases_ended"  # early
GENERATOR_ENDED = "generator_ended"  # the closing counts

# The harness
NOT_SAMPLED = "not_sampled"  # subject
METRICS_LEFT_OUT = "metrics_left_out"  # subject, because
SAMPLE_FAILED = "sample_failed"  # subject, error
METRICS_VANISHED = "metrics_vanished"  # subject, metrics (as in resources.csv), from_s
SAMPLING_ENDED = "sampling_ended"  # passes, failures
CLOCK_JUMPED = "clock_jumped"  # by_s
FAULT_STARTED = "fault_started"  # service, kind, attributes, toxicity
FAULT_ENDED = "fault_ended"  # service, kind
SETTINGS_CHANGED = "settings_changed"  # phase, settings: by service, as the phase has them
COOLING_DOWN = "cooling_down"
COOLED_DOWN = "cooled_down"  # the whole time that the profile gives
LOOK_FAILED = "look_failed"  # error
LEVEL_STARTED = "level_started"  # what recording.levels.Level has; written before it starts
LEVEL_ENDED = "level_ended"  # number, end_s: before its time
GUARD_TRIPPED = "guard_tripped"  # guard, rule, subject, where, metric, value, unit, n, from_s
GUARD_CLEARED = "guard_cleared"  # guard, rule, subject, where
GUARD_STOPPED = "guard_stopped"  # as a guard that tripped, and because
PAUSE_ASKED = "pause_asked"  # because; read by the load
RESUME_ASKED = "resume_asked"  # by; read by the load
INVALID_SEEN = "invalid_seen"  # because
LEDGER_LEFT = "ledger_left"  # subject, schema, because: its orders could not be copied
RUN_ENDED = "run_ended"  # how, because

# The mocks, which import nothing of ours and have these names themselves; source: the service
GC = "gc"
OOM_KILLED = "oom_killed"
LEDGER_FAILED = "ledger_failed"  # request_id, problem
POOL_EXHAUSTED = "pool_exhausted"  # request_id, body: of the first 503
SCALED = "scaled"  # replicas_before, replicas_after, value_percent
