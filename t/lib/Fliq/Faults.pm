package Fliq::Faults;

# The standard load, faults under it, and the ledger of both.
#
#   sandbox(workers => 2, http_conf => Fliq::Faults::CONF);
#   my $faults = Fliq::Faults->new;
#
#   $faults->begin(10);                         # seconds of load
#   $faults->after(1, 3);                       # a random time
#   $faults->fault('a kill', sub { kill KILL => (sandbox->workers)[0] });
#   my $found = $faults->settle;                # all has ended: see Ledger
#   $faults->is_clean($found, 'after a kill');
#
# The load, each second: 100 creates, 10 cancels near the time at which their
# jobs are due, 15 pushes to 5 buffers; 200 jobs that were created before fall
# due; 50 schedules run at some time in between, and at each minute.  All go
# to the target's /mixed.  Each create has a key of its own, in its body, too,
# so that a call tells which one it is for.

use v5.36;

use JSON::PP qw(decode_json);
use List::Util qw(min);
use Test::More;
use Time::HiRes qw(sleep time);

use Fliq::Ledger;
use Fliq::Test ();

use constant CONF => "fliq_retry base=200ms max=1s;\n";

use constant {
    CREATES => 100, CANCELS => 10, PUSHES => 15, OLDER => 200,
    SCHEDULES => 50, BUFFERS => 5, RATE => 5, CLIENTS => 16,
};


# rounds(): how many rounds a test is to make.
sub rounds () {
    return $ENV{FLIQ_FAULT_ROUNDS} // 1;
}


# new(): FLIQ_FAULT_SEED repeats the random times of a run, though not what
# comes of them.
sub new ($class) {
    my $self = bless {
        clients => [{}], orders => {}, cancels => [], schedules => {},
        faults => [], loads => 0,
        seed => $ENV{FLIQ_FAULT_SEED} // int rand 1e6,
    }, $class;

    Fliq::Test::target();
    srand $self->{seed};
    diag("FLIQ_FAULT_SEED=$self->{seed}");
    $self->{buffers} = [map { _buffer($_) } 1 .. BUFFERS];

    return $self;
}


sub _buffer ($n) {
    my $answer = Fliq::Test::api('POST', '/buffers', {
        name => "faults $n", url => Fliq::Test::target()->url('/mixed/item'),
        rate_limit => RATE, max_retries => 3 });

    die "POST /buffers: $answer->{content}\n" if $answer->{status} != 201;
    return $answer->{json}{id};
}


# share(clients...): who makes the load from now on; options of Fliq::Load for
# each, such as {port => N}.  At first it is one, on the sandbox.
sub share ($self, @clients) {
    $self->{clients} = \@clients;
}


# begin(seconds): start the load.  It lasts so long, or until settle() when
# that is later.
sub begin ($self, $seconds) {
    $self->_older($seconds);
    $self->_schedules($seconds);
    $self->{until} = time + $seconds;

    $self->{running} = [map { $self->_generate($_) }
                        0 .. $#{ $self->{clients} }];
}


# after(least, most): let some time go by, by chance.
sub after ($self, $least, $most) {
    sleep $least + rand($most - $least);
}


# fault(name, code, pids): whatever is in flight while code runs may be sent
# twice; if these workers are named, what they have claimed, for which they
# are stopped before.  Names are to be different.  Returns the fault, for
# is_recovered().
sub fault ($self, $name, $code, @pids) {
    my $fault = { name => $name, begun => time };

    push @{ $self->{faults} }, $fault;

    if (@pids) {
        kill STOP => @pids;
        $fault->{held} = held(@pids);
    }

    $code->();
    $fault->{ended} = time;

    return $fault;
}


# held(pids): how much workers that are stopped, or cut off, have claimed, once
# the statements that they had sent are done.
sub held (@pids) {
    my $pids = join ', ', @pids;
    my ($held, $before) = (-1);

    do {
        $before = $held;
        $held = Fliq::Test::sql("
            WITH mine AS (SELECT id FROM fliq.owners WHERE pid IN ($pids))
            SELECT (SELECT coalesce(sum(cardinality(job_ids)), 0)
                      FROM fliq.claims WHERE owner_id IN (TABLE mine))
                 + (SELECT count(*) FROM fliq.buffer_heads
                     WHERE owner_id IN (TABLE mine))");
    } until $held == $before;

    return $held;
}


# settle(timeout): end the load, and wait until all that follows from it has
# ended; then see what is lost.
sub settle ($self, $timeout = 30) {
    Fliq::Test::wait_until(sub { time >= $self->{until} }, 600);
    $self->_enter(Fliq::Load::halt($_)) for @{ delete $self->{running} };
    $self->_pause_schedules;

    Fliq::Test::wait_until(sub { !Fliq::Test::sql(_waiting()) }, $timeout);

    $self->{book} = $self->_book;
    return Fliq::Ledger::judge($self->{book});
}


# is_clean(found, name): assert that nothing is lost, and that there was a
# load.
sub is_clean ($self, $found, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $book = $self->{book};
    my %orders;

    $orders{$_->{class}}++ for values %{ $book->{orders} };

    diag(sprintf '%s: %d creates read, %d unknown, %d refused; %d calls, '
                 . '%d repeated, the last after %.2f s; '
                 . 'the latest job by %.2f s', $name,
         map({ $orders{$_} // 0 } qw(A U R)), scalar @{ $book->{calls} },
         scalar @{ $found->{again} }, Fliq::Ledger::slowest($found),
         Fliq::Ledger::latest($found));

    ok(($orders{A} // 0) > 150 * $self->{loads}, "$name: there was a load");
    is(Fliq::Ledger::summary($found), '', "$name: nothing is lost");
    is(join(' ', $self->_refused), '', "$name: nothing is refused");
}


# What was refused but for coming too late, as a busy machine may have it: a
# create after its due time, a cancel after its job has begun.
sub _refused ($self) {
    return grep { !/^(?:invalid_scheduled_at|job_already_executed)\z/ }
           map { $_->{error} }
           grep { $_->{status} =~ /^4/ }
           values %{ $self->{orders} }, @{ $self->{cancels} };
}


# is_recovered(found, fault, seconds): assert that the fault cut jobs off, but
# no more than its victims had, and that these, and what fell due, were fired
# so many seconds after it was over at the latest.  Items may take a second
# more, so that their buffer's rate is kept.
sub is_recovered ($self, $found, $fault, $seconds = Fliq::Test::wide(2)) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $name = $fault->{name};
    my $took = $fault->{ended} - $fault->{begun};
    my ($job, $item) = map { Fliq::Ledger::slowest($found, $_, $name) }
                           qw(job item);

    my $due = Fliq::Ledger::awaited($found, $fault);
    my $again = Fliq::Ledger::repeated($found, $name);
    my $held = $fault->{held};

    diag(sprintf '%s: %d again of %s, jobs after %.2f s, items after %.2f s; '
                 . 'what fell due after %.2f s; it took %.2f s',
         $name, $again, $held // 'unknown', $job, $item, $due, $took);

    # Of a handful none may have reached the target yet.
    ok($again > 0 || ($held // 5) < 5, "$name: some are fired again");
    ok($again <= $held, "$name: and no more than were in flight")
        if defined $held;
    ok($job < $took + $seconds, "$name: jobs within $seconds s");
    ok($item < $took + $seconds + 1, "$name: and items");
    ok($due < $took + $seconds, "$name: and what fell due");
}


# failed(): the requests that were not answered, or with a 5xx, in words.
sub failed ($self) {
    return map { "$_->{status} $_->{error}" }
           grep { $_->{status} == 0 || $_->{status} >= 500 }
           values %{ $self->{orders} }, @{ $self->{cancels} };
}


# --- the load


# Jobs that were created before it.
sub _older ($self, $seconds) {
    my $count = OLDER * $seconds;
    my $from = time + 1 + $count / 2000;
    my $prefix = ++$self->{loads} . '-old';
    my $n = 0;

    $self->_enter(Fliq::Test::load(clients => 32, %{ $self->{clients}[0] })
                  ->each(sub {
        return undef if $n == $count;
        return _create("$prefix-" . ++$n, $from + rand $seconds);
    }));
}


sub _create ($key, $due) {
    my $tries = int rand 4;
    my $scheduled_at = int($due * 1e6) / 1e6;

    return {
        bytes => Fliq::Test::request_bytes('POST', '/jobs', {
            url => Fliq::Test::target()->url('/mixed/job'), body => $key,
            idempotency_key => $key, max_retries => $tries,
            scheduled_at => Fliq::Test::stamp($scheduled_at),
        }),
        note => { key => $key, max_retries => $tries,
                  scheduled_at => $scheduled_at },
    };
}


sub _push ($key, $buffer) {
    return {
        bytes => Fliq::Test::request_bytes(
            'POST', "/buffers/$buffer/items",
            { body => $key, idempotency_key => $key }),
        note => { key => $key, item => 1, buffer => $buffer, rate => RATE },
    };
}


sub _cancel ($key, $id) {
    return { bytes => Fliq::Test::request_bytes('DELETE', "/jobs/$id"),
             note => { key => $key, cancel => 1 } };
}


# A process that sends a share of the load.
sub _generate ($self, $number) {
    my $share = 1 / @{ $self->{clients} };
    my $prefix = "$self->{loads}-$number";
    my ($n, @cancels) = (0);
    my %next = (create => time, push => time);
    my %period = (create => 1 / CREATES / $share, push => 1 / PUSHES / $share);

    my $source = sub {
        my $now = time;

        return _cancel(splice @{ shift @cancels }, 1)
            if @cancels && $cancels[0][0] <= $now;

        for my $what (grep { $next{$_} <= $now } keys %next) {
            $next{$what} += $period{$what};
            my $key = "$prefix-" . ++$n;

            return $what eq 'create'
                ? _create($key, $now + 0.5 + rand 1.5)
                : _push($key, $self->{buffers}[rand BUFFERS]);
        }

        my @soon = @cancels ? $cancels[0][0] : ();
        return \(min(@soon, values %next) - $now);
    };

    # Some are cancelled, from well before to just after they are due.
    my $told = sub ($answer) {
        my $note = $answer->{note};

        return if $answer->{status} != 201 || !$note->{scheduled_at}
                  || rand >= CANCELS / CREATES;

        @cancels = sort { $a->[0] <=> $b->[0] } @cancels,
            [$note->{scheduled_at} - 0.3 + rand 0.32, $note->{key},
             _id($answer)];
    };

    return Fliq::Test::load(clients => CLIENTS,
                            %{ $self->{clients}[$number] })
        ->background($source, $told);
}


sub _id ($answer) {
    return decode_json($answer->{body})->{id};
}


# --- schedules


# Their first runs come within the load, at any time; those that follow at
# the minutes.
sub _schedules ($self, $seconds) {
    my $url = Fliq::Test::target()->url('/mixed/schedule');
    my $count = SCHEDULES;

    my @rows = Fliq::Test::sql("
        INSERT INTO fliq.schedules
               (account_id, id, cron, url, method, body, max_retries,
                timeout_seconds, lane, next_run_at)
        SELECT a.id, fliq.make_id(), '* * * * *', '$url', 'POST',
               convert_to('schedule', 'UTF8'), 1, 30, 1,
               now() + (0.5 + random() * $seconds) * interval '1 s'
          FROM fliq.accounts a, generate_series(1, $count) AS n
         WHERE a.name = 'sandbox'
     RETURNING id, extract(epoch FROM next_run_at)");

    for my $row (@rows) {
        my ($id, $first) = split /\|/, $row;
        $self->{schedules}{$id} = { first => $first + 0, runs => [] };
    }
}


# Once none is due, end them and note the runs that they wait for.
sub _pause_schedules ($self) {
    Fliq::Test::wait_until(sub {
        !Fliq::Test::sql('SELECT count(*) FROM fliq.schedules
                           WHERE next_run_at <= now()')
    });

    my @rows = Fliq::Test::sql('
        WITH old AS (
            SELECT id, next_run_at FROM fliq.schedules
             WHERE next_run_at IS NOT NULL FOR UPDATE
        )
        UPDATE fliq.schedules s SET paused = true, next_run_at = NULL
          FROM old
         WHERE s.id = old.id
     RETURNING s.id, extract(epoch FROM old.next_run_at),
               extract(epoch FROM now())');

    for my $row (@rows) {
        my ($id, $next, $seen) = split /\|/, $row;
        @{ $self->{schedules}{$id} }{qw(next seen)} = ($next + 0, $seen + 0);
    }
}


# --- the book


# Write down what became of requests.
sub _enter ($self, @answers) {
    my $orders = $self->{orders};

    for my $answer (grep { !$_->{note}{cancel} } @answers) {
        my $made = $answer->{status} == 201;

        $orders->{$answer->{note}{key}} = {
            %{ $answer->{note} }, class => _class($answer),
            id => $made ? _id($answer) : undef,
            begun => $answer->{begun}, status => $answer->{status},
            error => $answer->{error} // _code($answer),
            ended => $answer->{begun} + $answer->{seconds}, cancels => [],
        };
    }

    for my $answer (grep { $_->{note}{cancel} } @answers) {
        my $cancel = {
            status => $answer->{status},
            error => $answer->{error} // _code($answer),
            ended => $answer->{begun} + $answer->{seconds},
            unsure => $answer->{resent} || _class($answer) eq 'U',
        };

        push @{ $self->{cancels} }, $cancel;
        push @{ $orders->{$answer->{note}{key}}{cancels} }, $cancel;
    }
}


sub _code ($answer) {
    return $answer->{body} =~ /"code":"(\w+)"/ ? $1 : '';
}


# What the database did before it was lost, 503 does not tell.
sub _class ($answer) {
    return 'A' if $answer->{status} == 201;
    return 'U' if $answer->{status} >= 500;
    return $answer->{status} == 0 && $answer->{sent} ? 'U' : 'R';
}


# What has not ended.
sub _waiting () {
    return "SELECT (SELECT count(*) FROM fliq.jobs WHERE status = 'waiting')
                 + (SELECT count(*) FROM fliq.buffer_items
                     WHERE status = 'pending')
                 + (SELECT count(*) FROM fliq.claims)";
}


sub _book ($self) {
    my %book = (
        orders => $self->{orders}, schedules => $self->{schedules},
        faults => $self->{faults}, jobs => {}, items => {},
        calls => [_calls()], executions => [_executions()],
        claims => scalar Fliq::Test::sql('SELECT count(*) FROM fliq.claims'),
    );

    @book{qw(counted recorded)} = split /\|/, Fliq::Test::sql('
        SELECT (SELECT coalesce(sum(executions), 0) FROM fliq.usage_daily),
               (SELECT count(*) FROM fliq.executions)
             + (SELECT coalesce(sum(attempts), 0) FROM fliq.buffer_items)');

    $_->{runs} = [] for values %{ $self->{schedules} };
    $self->_read_jobs(\%book);
    _read_items(\%book);

    return \%book;
}


sub _calls () {
    return map { {
        key => $_->{body}, id => $_->{header}{'x-fliq-delivery-id'},
        attempt => $_->{header}{'x-fliq-attempt'}, arrived => $_->{time},
        answered => $_->{answered}, status => $_->{status},
    } } Fliq::Test::target()->matching(qr{^/mixed/});
}


sub _executions () {
    return map {
        my ($id, $attempt, $status, $success) = split /\|/;
        { id => $id, attempt => $attempt, status => $status || undef,
          success => $success eq 't' };
    } Fliq::Test::sql("
        SELECT fliq.id_text('job', e.job_id), e.attempt_num, e.status_code,
               e.success
          FROM fliq.executions e
          JOIN fliq.jobs j ON j.account_id = e.account_id AND j.id = e.job_id
         WHERE j.url LIKE '%/mixed/%'");
}


sub _read_jobs ($self, $book) {
    my @rows = Fliq::Test::sql("
        SELECT fliq.id_text('job', j.id),
               coalesce(j.idempotency_key, 'schedule'), j.status,
               j.attempts, j.max_retries,
               extract(epoch FROM j.scheduled_at), j.schedule_id,
               extract(epoch FROM j.created_at),
               (j.status = 'waiting' AND NOT EXISTS (
                    SELECT FROM fliq.due d
                     WHERE d.account_id = j.account_id
                       AND d.job_id = j.id))::int
          FROM fliq.jobs j
         WHERE j.url LIKE '%/mixed/%'");

    for my $row (@rows) {
        my ($id, $key, $status, $attempts, $retries, $at, $schedule, $made,
            $running) = split /\|/, $row;

        $book->{jobs}{$id} = {
            key => $key, status => $status, attempts => $attempts,
            max_retries => $retries, scheduled_at => $at + 0,
            schedule => $schedule, running => $running,
        };
        push @{ $self->{schedules}{$schedule}{runs} },
             { at => $at + 0, made => $made + 0 } if $schedule;
    }
}


sub _read_items ($book) {
    my @rows = Fliq::Test::sql("
        SELECT fliq.id_text('item', i.id), i.idempotency_key, i.status,
               i.attempts, i.retry_count, b.max_retries,
               (h.item_id IS NOT DISTINCT FROM i.id)::int
          FROM fliq.buffer_items i
          JOIN fliq.buffers b ON b.account_id = i.account_id
                             AND b.id = i.buffer_id
          JOIN fliq.buffer_heads h ON h.buffer_id = i.buffer_id
         WHERE b.url LIKE '%/mixed/%'");

    for my $row (@rows) {
        my ($id, $key, $status, $attempts, $retries, $most, $running)
            = split /\|/, $row;

        $book->{items}{$id} = {
            key => $key, status => $status, attempts => $attempts,
            retries => $retries, max_retries => $most, running => $running,
        };
    }
}


1;
