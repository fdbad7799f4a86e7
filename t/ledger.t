# The ledger by which the tests of faults count loss can tell each kind of it:
# a book in which all is well has none, and each way to spoil it is found as
# what it is, and as nothing else.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Ledger;
use Storable qw(dclone);
use Test::More;

my $minute = 1_000_000_020;         # a whole one


sub call ($key, $id, $attempt, $arrived, $status = 200) {
    return {
        key => $key, id => $id, attempt => $attempt, arrived => $arrived,
        answered => defined $status ? $arrived + 0.05 : undef,
        status => $status,
    };
}


# A job that was retried, one that failed, one that was cancelled, one whose
# create was not answered, one that was refused, one of a schedule, and seven
# items of a buffer of 5 a second.
my %book = (
    orders => {
        (map { $_ => { class => 'A', id => "job_$_", begun => 90, ended => 91,
                       scheduled_at => 100, cancels => [] } }
             qw(retried failed)),
        gone => { class => 'A', id => 'job_gone', begun => 90, ended => 91,
                  scheduled_at => 100,
                  cancels => [{ status => 204, ended => 99 }] },
        unknown => { class => 'U', begun => 90, ended => 91,
                     scheduled_at => 100, cancels => [] },
        refused => { class => 'R', begun => 90, ended => 91, cancels => [] },
        map { ("i$_" => { class => 'A', id => "item_$_", item => 1,
                          buffer => 'buf', rate => 5, begun => 90 + $_,
                          ended => 90.5 + $_, cancels => [] }) } 1 .. 7,
    },
    jobs => {
        job_retried => { key => 'retried', status => 'success',
                         attempts => 2, max_retries => 1 },
        job_failed => { key => 'failed', status => 'failed', attempts => 1,
                        max_retries => 0 },
        job_gone => { key => 'gone', status => 'cancelled', attempts => 0,
                      max_retries => 0 },
        job_unknown => { key => 'unknown', status => 'success',
                         attempts => 1, max_retries => 0 },
        job_spawned => { key => 'schedule', status => 'success',
                         attempts => 1, max_retries => 0,
                         scheduled_at => $minute, schedule => 'daily' },
    },
    items => {
        map { ("item_$_" => { key => "i$_", status => 'completed',
                              attempts => 1, retries => 0,
                              max_retries => 3 }) } 1 .. 7,
    },
    calls => [
        call('retried', 'job_retried', 1, 100.001, 500),
        call('retried', 'job_retried', 2, 101),
        call('failed', 'job_failed', 1, 100.001, 0),
        call('unknown', 'job_unknown', 1, 100.001),
        call('schedule', 'job_spawned', 1, $minute + 0.01),
        map { call("i$_", "item_$_", 1, 100 + $_ * 0.25) } 1 .. 7,
    ],
    executions => [
        map { { id => $_->[0], attempt => $_->[1], status => $_->[2],
                success => ($_->[2] // 0) == 200 } }
            ['job_retried', 1, 500], ['job_retried', 2, 200],
            ['job_failed', 1, undef], ['job_unknown', 1, 200],
            ['job_spawned', 1, 200],
    ],
    schedules => {
        daily => { first => $minute, next => $minute + 60,
                   seen => $minute + 1,
                   runs => [{ at => $minute, made => $minute + 0.01 }] },
    },
    faults => [], claims => 0, counted => 12, recorded => 12,
);


# found(spoil): the kinds that are found once it was spoiled.
sub found ($spoil) {
    my $book = dclone(\%book);

    $spoil->($book);
    my $found = Fliq::Ledger::judge($book);
    return join ' ', map { @{ $found->{$_} } ? "$_ " . @{ $found->{$_} } : () }
                         @Fliq::Ledger::KINDS, 'again';
}


# again(gap, id, fault): call it once more, with a fault or without.
sub again ($book, $id, $gap, @fault) {
    my ($call) = grep { $_->{id} eq $id } @{ $book->{calls} };

    push @{ $book->{calls} }, { %$call, arrived => $call->{arrived} + $gap,
                                answered => $call->{answered} + $gap };
    push @{ $book->{faults} }, { name => 'kill', begun => $fault[0],
                                 ended => $fault[0] } if @fault;
}


sub spoiled ($name, $kinds, $spoil) {
    is(found($spoil), $kinds, $name);
}


is(found(sub { }), '', 'nothing is wrong');
is(Fliq::Ledger::summary(Fliq::Ledger::judge(\%book)), '', 'in words, too');


# --- lost

spoiled('one that never ended', 'lost 1', sub ($book) {
    $book->{orders}{late} = { class => 'A', id => 'job_late', cancels => [] };
    $book->{jobs}{job_late} = { key => 'late', status => 'waiting',
                                attempts => 0, max_retries => 0 };
});
spoiled('one that is missing', 'lost 1', sub ($book) {
    $book->{orders}{more} = { class => 'A', id => 'job_more', cancels => [] };
});
spoiled('an item that is missing', 'lost 1', sub ($book) {
    $book->{orders}{more} = { class => 'A', id => 'item_8', item => 1,
                              cancels => [] };
});
spoiled('an item that waits', 'lost 1', sub ($book) {
    $book->{items}{item_7}{status} = 'pending';
});
spoiled('a success that was answered otherwise', 'lost 1 wrong 1',
        sub ($book) { $book->{calls}[3]{status} = 404 });


# --- phantom, half

spoiled('a call of what was refused', 'phantom 1 untold 1', sub ($book) {
    push @{ $book->{calls} }, call('refused', 'job_r', 1, 101);
});
spoiled('a call that nobody asked for', 'phantom 1', sub ($book) {
    push @{ $book->{calls} }, call('nobody', 'job_n', 1, 101);
});
spoiled('a create that is called as two jobs', 'half 1 untold 1',
        sub ($book) {
    push @{ $book->{calls} }, call('unknown', 'job_twin', 1, 101);
});
spoiled('one that was read, called as another', 'half 1 untold 1',
        sub ($book) {
    push @{ $book->{calls} }, call('failed', 'job_twin', 1, 101);
});
spoiled('a create that is there twice', 'half 1', sub ($book) {
    $book->{jobs}{job_twin} = { key => 'unknown', status => 'cancelled',
                                attempts => 0, max_retries => 0 };
    $book->{orders}{unknown}{cancels} = [{ status => 0, ended => 95,
                                             unsure => 1 }];
});


# --- duplicate

spoiled('a call that is repeated', 'duplicate 1', sub ($book) {
    again($book, 'job_unknown', 1);
});
spoiled('one long before a fault', 'duplicate 1', sub ($book) {
    again($book, 'job_unknown', 1, 101);
});
spoiled('one that was sent after it', 'duplicate 1', sub ($book) {
    again($book, 'job_unknown', 1, 99);
});
spoiled('one that it cut', 'again 1', sub ($book) {
    again($book, 'job_unknown', 1, 100.02);
});
spoiled('one that it cut, repeated twice', 'duplicate 1 again 1',
        sub ($book) {
    again($book, 'job_unknown', $_, 100.02) for 1, 2;
});


# --- untold, zombie, early

spoiled('a call without an execution', 'untold 1 wrong 1', sub ($book) {
    splice @{ $book->{executions} }, 0, 1;
});
spoiled('an item\'s call that is not recorded', 'untold 1', sub ($book) {
    $book->{items}{item_7}{attempts} = 0;
});
spoiled('a job that runs for ever', 'untold 1', sub ($book) {
    @{ $book->{jobs}{job_retried} }{qw(status running)} = ('waiting', 1);
});
spoiled('a claim that is left', 'untold 1', sub ($book) {
    $book->{claims} = 1;
});
spoiled('a call after 204', 'untold 1 zombie 1', sub ($book) {
    push @{ $book->{calls} }, call('gone', 'job_gone', 1, 100.01);
});
spoiled('a call before its time', 'early 1', sub ($book) {
    $book->{calls}[3]{arrived} = 99.9999;
});
spoiled('a run before its time', 'early 1', sub ($book) {
    $book->{calls}[4]{arrived} = $minute - 0.0001;
});


# --- schedules

spoiled('a minute that did not come', 'missed 1', sub ($book) {
    @{ $book->{schedules}{daily} }{qw(next seen)}
        = ($minute + 120, $minute + 61);
});
spoiled('one that was caught up with', '', sub ($book) {
    @{ $book->{schedules}{daily} }{qw(next seen)}
        = ($minute + 120, $minute + 61);
    $book->{schedules}{daily}{runs}[0]{made} = $minute + 61;
});
spoiled('a run that is overdue', 'missed 1', sub ($book) {
    $book->{schedules}{daily}{seen} = $minute + 70;
});
spoiled('a minute twice', 'doubled 1', sub ($book) {
    my $runs = $book->{schedules}{daily}{runs};
    push @$runs, $runs->[0];
});
spoiled('a run at another time', 'doubled 1', sub ($book) {
    push @{ $book->{schedules}{daily}{runs} },
         { at => $minute + 7, made => $minute + 7 };
});


# --- overtry, wrong

spoiled('an attempt too many', 'overtry 1', sub ($book) {
    $book->{jobs}{job_retried}{max_retries} = 0;
});
spoiled('a retry of an item too many', 'overtry 1', sub ($book) {
    $book->{items}{item_1}{retries} = 4;
});
spoiled('another status than was answered', 'wrong 1', sub ($book) {
    $book->{executions}[0]{status} = 503;
});
spoiled('an execution that no call was made for', 'wrong 2', sub ($book) {
    push @{ $book->{executions} }, { id => 'job_gone', attempt => 1,
                                     status => undef, success => '' };
});
spoiled('an attempt that is recorded twice', 'wrong 2', sub ($book) {
    push @{ $book->{executions} }, { %{ $book->{executions}[3] } };
});
spoiled('a failure that was a success', 'wrong 2', sub ($book) {
    $book->{jobs}{job_unknown}{status} = 'failed';
});
spoiled('a cancel that came to nothing', 'wrong 1', sub ($book) {
    $book->{orders}{failed}{cancels} = [{ status => 204, ended => 105 }];
});
spoiled('what is counted', 'wrong 1', sub ($book) { $book->{counted}++ });
spoiled('what nobody cancelled', 'wrong 1', sub ($book) {
    $book->{orders}{gone}{cancels} = [];
});


# --- buffers

spoiled('an item that is late', 'disorder 1', sub ($book) {
    my @calls = @{ $book->{calls} };
    @{ $calls[5] }{qw(key id)} = ('i2', 'item_2');
    @{ $calls[6] }{qw(key id)} = ('i1', 'item_1');
});
spoiled('an item between two calls of another', 'disorder 2', sub ($book) {
    $book->{items}{item_1}{attempts} = 2;
    push @{ $book->{calls} }, call('i1', 'item_1', 2, 100.6);
    $book->{calls}[$_]{arrived} += 1 for 7 .. 11;
    $book->{calls}[$_]{answered} += 1 for 7 .. 11;
});
spoiled('two at a time', 'disorder 1', sub ($book) {
    $book->{calls}[6]{arrived} = 100.29;
});
spoiled('one more in a second than is allowed', 'rate 1', sub ($book) {
    @{ $book->{calls}[9] }{qw(arrived answered)} = (101.2, 101.21);
    $book->{calls}[10]{arrived} = 101.24;
});

done_testing();
