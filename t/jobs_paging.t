# Walking over the pages of GET /jobs while rows are added yields every row
# that was there at the start exactly once, the newest first; with a filter,
# exactly those that it lets through.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

sandbox(workers => 2);

my %far = (url => 'http://127.0.0.1:9/',
           scheduled_at => '2099-01-01T00:00:00Z');


# walk(query): the ids on all pages, and the sizes of the pages.
sub walk ($query) {
    my (@ids, @sizes, $cursor);

    while (1) {
        my $page = api('GET', "/jobs?$query"
                              . (defined $cursor ? "&cursor=$cursor" : ''));
        die "$query: $page->{status} $page->{content}\n"
            if $page->{status} != 200;

        push @ids, map { $_->{id} } @{ $page->{json}{jobs} };
        push @sizes, scalar @{ $page->{json}{jobs} };
        die "$query: no end\n" if @sizes > 5000;

        $cursor = $page->{json}{next_cursor};
        last if !defined $cursor;
    }

    return (\@ids, \@sizes);
}


sub create_many ($count) {
    return map { $_->{body} =~ /"id":"(job_\w+)"/ ? $1 : die $_->{body} }
           load(clients => 16)->run(
               (request_bytes('POST', '/jobs', \%far)) x $count);
}


# --- nothing

my ($ids, $sizes) = walk('limit=5');
is_deeply([$ids, $sizes], [[], [0]], 'an empty list is one empty page');


# --- a list that stands still

my @all = create_many(100);
my @newest_first = reverse sort @all;

($ids, $sizes) = walk('limit=7');
is_deeply($ids, \@newest_first, 'all, in the order of their ids');
is_deeply($sizes, [(7) x 14, 2], 'in full pages and a rest');

($ids, $sizes) = walk('limit=50');
is_deeply($ids, \@newest_first, 'in fewer pages');
is_deeply($sizes, [50, 50], 'no empty page after the last full one');

($ids, $sizes) = walk('limit=100');
is_deeply($sizes, [100], 'in one page');


# --- while rows are added

my $adding = load(clients => 4)->background(sub {
    sleep 0.002;
    return request_bytes('POST', '/jobs', \%far);
});

wait_until(sub {
    sql('SELECT count(*) > 150 FROM fliq.jobs') eq 't'
}) or die "nothing is added\n";

for my $limit (3, 10) {
    my $before = sql('SELECT count(*) FROM fliq.jobs');
    my ($ids) = walk("limit=$limit");
    my $after = sql('SELECT count(*) FROM fliq.jobs');
    my %seen;

    ok($after > $before, "limit $limit: rows were added meanwhile");
    ok(@$ids >= $before, "limit $limit: all from the start are there");

    $seen{$_}++ for @$ids;
    is(join(' ', grep { ($seen{$_} // 0) != 1 } @all), '',
       "limit $limit: each of those from the start exactly once");
    is(join(' ', grep { $seen{$_} > 1 } sort keys %seen), '',
       "limit $limit: none twice");
    is_deeply($ids, [reverse sort @$ids], "limit $limit: in order");
}

my @added = halt($adding);
is(scalar(grep { $_->{status} != 201 } @added), 0,
   scalar(@added) . ' rows were added meanwhile');


# --- filters

my @cancelled = (@all[3, 50, 99], @all[10 .. 19]);
api('DELETE', "/jobs/$_") for @cancelled;

($ids, $sizes) = walk('status=cancelled&limit=5');
is_deeply($ids, [reverse sort @cancelled], 'those that were cancelled');
is_deeply($sizes, [5, 5, 3], 'in full pages');

my @done = map { create_job(url => '/ok') } 1 .. 3;
my @broken = map { create_job(url => '/status/500') } 1 .. 4;
wait_job($_) for @done, @broken;

for my $case ([success => @done], [completed => @done],
              [failed => @broken]) {
    my ($status, @jobs) = @$case;
    my ($ids) = walk("status=$status&limit=2");

    is_deeply($ids, [reverse sort map { $_->{id} } @jobs], $status);
}

my $slow = create_job(url => '/slow/1000');
target->wait_for(1, '/slow/1000');
($ids) = walk('status=running');
is_deeply($ids, [$slow->{id}], 'running');

my ($scheduled) = walk('status=scheduled&limit=100');
my ($pending) = walk('status=pending&limit=100');
is(scalar(@$scheduled), @all + @added - @cancelled, 'scheduled');
is_deeply($pending, $scheduled, 'pending is what waits');


# --- another account's cursor shows nothing of ours

my $account = sandbox->fliqctl('account', 'create', '--name', 'other');
my $token = sandbox->fliqctl('token', 'create', '--account', $account->{id});
my $cursor = api('GET', '/jobs?limit=1')->{json}{next_cursor};
my $theirs = api('GET', "/jobs?cursor=$cursor", undef,
                 { Authorization => "Bearer $token->{token}" });

is_deeply($theirs->{json}, { jobs => [], next_cursor => undef },
          'a cursor opens no other account');

finish();
