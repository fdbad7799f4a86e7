package Fliq::Ledger;

# How loss is counted: what the clients were promised, what the target saw,
# and what the database says in the end, held against each other.  Nothing
# here asks anybody; Fliq::Faults fills the book.
#
#   my $found = Fliq::Ledger::judge($book);
#   is(Fliq::Ledger::summary($found), '', 'nothing was lost');
#
# The book, all times in Unix seconds by one machine's clock:
#
#   orders      key => {class, id, item, begun, ended, scheduled_at, buffer,
#               rate, max_retries, cancels}: what clients asked for, jobs and
#               (item => 1) pushes to a buffer.  class is A (201 was read), R
#               (refused: certainly not made) or U (anything else: it may have
#               been made).  cancels: [{status, ended, unsure}], a DELETE
#               each; unsure: it may have been done, whatever was answered
#   calls       [{key, id, attempt, arrived, answered, status}]: what the
#               target saw; answered and status (0: a reset) are undef while
#               it has not answered
#   jobs        id => {key, status, running, attempts, max_retries, schedule,
#               scheduled_at}: what the database has; status as in fliq.jobs,
#               schedule is the id of the one that spawned it
#   executions  [{id, attempt, status, success}]
#   items       id => {key, status, attempts, retries, max_retries}
#   schedules   id => {first, next, seen, runs}: its first run; the one that
#               it waited for when it was looked at, at seen; and what it
#               spawned, [{at, made}]: the run, and when the job was made
#   faults      [{name, begun, ended}]
#   claims      rows of fliq.claims when all has ended
#   counted     executions of jobs and items that fliq.usage_daily has,
#   recorded    and that there are
#
# What is found has a list of texts for each of these:
#
#   lost        an A that is missing or has not ended, or a success that the
#               target never answered with 2xx
#   phantom     a call for what nobody asked for
#   half        one request that is there twice
#   duplicate   a call that an attempt had had before, which was not in flight
#               at a fault
#   untold      a call of which nothing is recorded; what seems to run still
#   zombie      a call after its DELETE had been answered 204
#   early       a first call before its time
#   missed      a run of a schedule that neither came nor was caught up with
#   doubled     one that came twice, or that its schedule does not have
#   overtry     more attempts than max_retries + 1
#   wrong       what is recorded is not what happened
#   disorder    an item of a buffer out of its turn, or beside another
#   rate        a buffer's request that its rate does not allow
#
# and, which is no loss, in again {fault, seconds, id} of each call that was
# repeated because of a fault, with the time since that began; and in late {at,
# seconds} of each job: its time, and how much later its first call came.

use v5.36;

use List::Util qw(any max);

our @KINDS = qw(lost phantom half duplicate untold zombie early missed doubled
                overtry wrong disorder rate);

# An outcome is in flight until it is committed, and a claim from its commit:
# so much before and after a call.
use constant SLACK => 0.5;

use constant EXAMPLES => 3;

my %final = map { $_ => 1 } qw(success failed cancelled completed);


# judge(book): everything that is wrong with it.
sub judge ($book) {
    my $found = { map { $_ => [] } @KINDS, 'again', 'late' };
    my $index = _index($book);

    _judge_orders($book, $index, $found);
    _judge_calls($book, $index, $found);
    _judge_repeats($book, $index, $found);
    _judge_jobs($book, $index, $found);
    _judge_items($book, $index, $found);
    _judge_executions($book, $index, $found);
    _judge_schedules($book, $found);
    _judge_buffers($book, $found);

    return $found;
}


# summary(found): how much of each kind there is, with examples; '' for
# nothing.
sub summary ($found) {
    return join "\n", map {
        my @texts = @{ $found->{$_} };
        my @shown = splice @texts, 0, EXAMPLES;

        @shown ? "$_: " . (@shown + @texts) . ', such as '
                 . join '; ', @shown : ();
    } @KINDS;
}


# slowest(found, prefix, fault): when the last call that was repeated because
# of a fault came, in seconds after its beginning; 0 when there was none.  What
# was called has an id of that prefix, the fault that name, if these are given.
sub slowest ($found, $prefix = '', $fault = undef) {
    return max 0, map { $_->{seconds} }
                  grep { $_->{id} =~ /^$prefix/
                         && $_->{fault} eq ($fault // $_->{fault}) }
                       @{ $found->{again} };
}


# repeated(found, fault): how many calls were repeated because of it.
sub repeated ($found, $fault) {
    return scalar grep { $_->{fault} eq $fault } @{ $found->{again} };
}


# latest(found): how late the latest first call was.
sub latest ($found) {
    return max 0, map { $_->{seconds} } @{ $found->{late} };
}


# awaited(found, fault): when the last first call of what was due before a
# fault was over came, in seconds after its beginning.
sub awaited ($found, $fault) {
    return max 0, map { $_->{at} + $_->{seconds} - $fault->{begun} }
                  grep { $_->{at} <= $fault->{ended} } @{ $found->{late} };
}


# --- what is looked up


sub _index ($book) {
    my (%calls, %executions);

    push @{ $calls{$_->{id}}{$_->{attempt}} }, $_
        for sort { $a->{arrived} <=> $b->{arrived} } @{ $book->{calls} };
    push @{ $executions{$_->{id}}{$_->{attempt}} }, $_
        for @{ $book->{executions} };

    return { calls => \%calls, executions => \%executions };
}


# All calls of a delivery.
sub _calls_of ($index, $id) {
    return map { @$_ } values %{ $index->{calls}{$id} // {} };
}


sub _is_success ($call) {
    return ($call->{status} // 0) =~ /^2/;
}


# The fault that a call was in flight at, if there was one.
sub _fault_of ($book, $call) {
    for my $fault (@{ $book->{faults} }) {
        return $fault
            if $call->{arrived} <= $fault->{ended} + SLACK
               && (!defined $call->{answered}
                   || $call->{answered} >= $fault->{begun} - SLACK);
    }

    return undef;
}


# --- what was promised


sub _judge_orders ($book, $index, $found) {
    my %jobs_of;

    for my $rows (@$book{qw(jobs items)}) {
        $jobs_of{$rows->{$_}{key}}{$_} = 1 for keys %$rows;
    }

    for my $key (sort keys %{ $book->{orders} }) {
        my $order = $book->{orders}{$key};
        my $rows = $order->{item} ? $book->{items} : $book->{jobs};
        my @ids = keys %{ $jobs_of{$key} // {} };

        push @{ $found->{half} }, "$key is @ids" if @ids > 1;
        next if $order->{class} ne 'A';

        push @{ $found->{lost} }, "$key ($order->{id}) is missing"
            if !$rows->{$order->{id}};
    }
}


# --- what the target saw


sub _judge_calls ($book, $index, $found) {
    my %ids;

    for my $call (@{ $book->{calls} }) {
        my $order = $book->{orders}{$call->{key}};
        my $job = $book->{jobs}{$call->{id}};
        my $name = "$call->{key} ($call->{id}), attempt $call->{attempt}";

        push @{ $found->{phantom} }, $name
            if $order ? $order->{class} eq 'R' : !($job && $job->{schedule});

        _judge_time($order // $job, $call, $name, $found);
        next if !$order;

        $ids{$call->{key}}{$call->{id}} = 1;
        push @{ $found->{untold} }, "$name: nobody knows of it"
            if !$job && !$book->{items}{$call->{id}};
        _judge_zombie($order, $call, $name, $found);
    }

    for my $key (sort keys %ids) {
        my $order = $book->{orders}{$key};

        $ids{$key}{$order->{id}} = 1 if $order->{class} eq 'A';
        push @{ $found->{half} }, "$key is called as "
                                  . join ' and ', sort keys %{ $ids{$key} }
            if keys %{ $ids{$key} } > 1;
    }
}


sub _judge_time ($job, $call, $name, $found) {
    return if $call->{attempt} != 1 || !defined $job->{scheduled_at};

    my $late = $call->{arrived} - $job->{scheduled_at};

    push @{ $found->{early} }, sprintf '%s: by %.6f s', $name, -$late
        if $late < -1e-6;
    push @{ $found->{late} }, { at => $job->{scheduled_at},
                                seconds => $late };
}


sub _judge_zombie ($order, $call, $name, $found) {
    for my $cancel (@{ $order->{cancels} // [] }) {
        push @{ $found->{zombie} }, sprintf '%s: %.6f s after its 204', $name,
                                    $call->{arrived} - $cancel->{ended}
            if $cancel->{status} == 204
               && $call->{arrived} > $cancel->{ended};
    }
}


# Each attempt is called once, or as often as faults have cut it.
sub _judge_repeats ($book, $index, $found) {
    for my $id (sort keys %{ $index->{calls} }) {
        for my $attempt (sort keys %{ $index->{calls}{$id} }) {
            my ($before, @more) = @{ $index->{calls}{$id}{$attempt} };

            for my $call (@more) {
                _judge_repeat($book, $before, $call, $found);
                $before = $call;
            }
        }
    }
}


sub _judge_repeat ($book, $before, $call, $found) {
    my $fault = _fault_of($book, $before);

    if ($fault) {
        push @{ $found->{again} }, {
            fault => $fault->{name}, id => $call->{id},
            seconds => $call->{arrived} - $fault->{begun},
        };
        return;
    }

    push @{ $found->{duplicate} }, sprintf
        '%s (%s), attempt %d, %.3f s after the first that was %s',
        @$call{qw(key id attempt)}, $call->{arrived} - $before->{arrived},
        defined $before->{answered}
            ? sprintf('answered after %.3f s',
                      $before->{answered} - $before->{arrived})
            : 'not answered';
}


# --- what the database says


sub _judge_jobs ($book, $index, $found) {
    for my $id (sort keys %{ $book->{jobs} }) {
        my $job = $book->{jobs}{$id};
        my $name = "$job->{key} ($id)";

        _judge_end($book, $job, $name, [_calls_of($index, $id)], $found);
        _judge_told($book, $index, $id, $job, $found);
        _judge_job($book, $index, $id, $job, $found);

        push @{ $found->{overtry} }, "$name: $job->{attempts}"
            if $job->{attempts} > $job->{max_retries} + 1;
    }

    push @{ $found->{untold} }, "$book->{claims} claims are left"
        if $book->{claims};
    push @{ $found->{wrong} },
         "$book->{counted} executions are counted of $book->{recorded}"
        if $book->{counted} != $book->{recorded};
}


# It must have ended; and well only if the target says so.  An answer that a
# fault cut off may never have been read.
sub _judge_end ($book, $row, $name, $calls, $found) {
    if (!$final{$row->{status}}) {
        push @{ $found->{ $row->{running} ? 'untold' : 'lost' } },
             "$name " . ($row->{running} ? 'runs still' : 'still waits');
        return;
    }

    my @well = grep { _is_success($_) } @$calls;

    push @{ $found->{lost} }, "$name is a $row->{status} of no call"
        if !@well && $row->{status} =~ /^(?:success|completed)\z/;
    push @{ $found->{wrong} }, "$name is $row->{status}, but was answered 2xx"
        if $row->{status} eq 'failed' && any { !_fault_of($book, $_) } @well;
}


# Each attempt that was called has its execution.
sub _judge_told ($book, $index, $id, $job, $found) {
    for my $attempt (sort keys %{ $index->{calls}{$id} // {} }) {
        next if $index->{executions}{$id}{$attempt};

        # It was cut, and cancelled before it could be called again.
        next if $job->{status} eq 'cancelled'
                && $attempt == $job->{attempts} + 1
                && _fault_of($book, $index->{calls}{$id}{$attempt}[-1]);

        push @{ $found->{untold} }, "$job->{key} ($id), attempt $attempt";
    }
}


sub _judge_job ($book, $index, $id, $job, $found) {
    my $order = $book->{orders}{$job->{key}};
    my @cancels = $order ? @{ $order->{cancels} // [] } : ();
    my @told = map { @$_ } values %{ $index->{executions}{$id} // {} };
    my @wrong;

    push @wrong, 'nobody cancelled it'
        if $job->{status} eq 'cancelled'
           && !any { $_->{status} == 204 || $_->{unsure} } @cancels;
    push @wrong, "its cancel was answered 204, it is $job->{status}"
        if $job->{status} ne 'cancelled'
           && any { $_->{status} == 204 } @cancels;
    push @wrong, "$job->{attempts} attempts, " . @told . ' executions'
        if $job->{attempts} != @told;
    push @wrong, "it is $job->{status}, its executions are not"
        if $job->{status} =~ /^(?:success|failed)\z/
           && ($job->{status} eq 'success')
              != (any { $_->{success} } @told);

    push @{ $found->{wrong} }, "$job->{key} ($id): " . join ', ', @wrong
        if @wrong;
}


sub _judge_items ($book, $index, $found) {
    for my $id (sort keys %{ $book->{items} }) {
        my $item = $book->{items}{$id};
        my $name = "$item->{key} ($id)";
        my @attempts = keys %{ $index->{calls}{$id} // {} };

        _judge_end($book, $item, $name, [_calls_of($index, $id)], $found);

        push @{ $found->{untold} }, "$name: $item->{attempts} attempts of "
                                    . @attempts
            if @attempts > $item->{attempts};
        push @{ $found->{wrong} }, "$name: $item->{attempts} attempts, but "
                                   . @attempts . ' were made'
            if @attempts < $item->{attempts};
        push @{ $found->{overtry} }, "$name: $item->{retries} retries"
            if $item->{retries} > $item->{max_retries};
    }
}


# An execution tells what the target answered to one of its calls.
sub _judge_executions ($book, $index, $found) {
    for my $told (@{ $book->{executions} }) {
        my ($id, $attempt) = @$told{qw(id attempt)};
        my $calls = $index->{calls}{$id}{$attempt} // [];
        my @twice = @{ $index->{executions}{$id}{$attempt} };

        push @{ $found->{wrong} }, "$id, attempt $attempt: recorded twice"
            if @twice > 1 && $twice[0] == $told;
        push @{ $found->{wrong} }, sprintf
            '%s, attempt %d: recorded as %s, answered %s', $id, $attempt,
            $told->{status} || 'no answer',
            join(' and ', map { $_->{status} // 'not at all' } @$calls)
                || 'nothing, for it was not called'
            if !any { ($_->{status} // 0) == ($told->{status} // 0) } @$calls;
    }
}


# --- schedules: every minute once


sub _judge_schedules ($book, $found) {
    for my $id (sort keys %{ $book->{schedules} // {} }) {
        my $schedule = $book->{schedules}{$id};
        my ($first, $next, $seen) = @$schedule{qw(first next seen)};
        my @runs = @{ $schedule->{runs} };
        my %came;
        my @due = ($first, grep { $_ > $first }
                           map { 60 * $_ } int($first / 60) .. $next / 60);
        my %due = map { $_ => 1 } @due;

        $came{$_->{at}}++ for @runs;

        push @{ $found->{doubled} }, map {
            "$id: $_" . ($due{$_} ? '' : ' is none of its runs');
        } grep { $came{$_} > 1 || !$due{$_} } sort keys %came;

        push @{ $found->{missed} }, map { "$id: $_" } grep {
            my $at = $_;
            $at < $next && !$came{$at}
            && !any { $_->{at} < $at && $_->{made} >= $at } @runs;
        } @due;

        push @{ $found->{missed} }, "$id: $next is overdue"
            if $next < $seen - 2;
    }
}


# --- buffers: one after the other, and no more in a second than allowed


sub _judge_buffers ($book, $found) {
    my %of;

    for my $call (@{ $book->{calls} }) {
        my $order = $book->{orders}{$call->{key}};
        push @{ $of{$order->{buffer}} }, $call
            if $order && $order->{item};
    }

    for my $buffer (sort keys %of) {
        my @calls = sort { $a->{arrived} <=> $b->{arrived} }
                    @{ $of{$buffer} };

        _judge_order($book, $buffer, \@calls, $found);
        _judge_rate($book, \@calls, $found);
    }
}


# Items go out in the order in which their pushes were answered, and none
# begins before the one ahead has ended.
sub _judge_order ($book, $buffer, $calls, $found) {
    my (%over, $last);
    my $latest = 0;

    for my $call (@$calls) {
        my ($key, $order) = ($call->{key}, $book->{orders}{$call->{key}});

        push @{ $found->{disorder} }, "$buffer: $key comes again"
            if $over{$key};
        push @{ $found->{disorder} }, "$buffer: $key is late"
            if $order->{class} eq 'A' && $order->{ended} < $latest;
        push @{ $found->{disorder} }, "$buffer: $key is beside $last->{key}"
            if $last && $last->{key} ne $key
               && defined $last->{answered}
               && $call->{arrived} < $last->{answered};

        $over{$last->{key}} = 1 if $last && $last->{key} ne $key;
        $latest = max $latest, $order->{begun};
        $last = $call;
    }
}


sub _judge_rate ($book, $calls, $found) {
    my $rate = $book->{orders}{$calls->[0]{key}}{rate};

    for my $i ($rate .. $#$calls) {
        my $seconds = $calls->[$i]{arrived} - $calls->[$i - $rate]{arrived};

        push @{ $found->{rate} }, sprintf
            '%s is the %dth in %.6f s', $calls->[$i]{key}, $rate + 1, $seconds
            if $seconds < 1 - 1e-6;
    }
}


1;
