# Creates that arrive together share commits, and each is still answered on
# its own: what is wrong with one is no matter to its neighbours.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

my $count = 5000;

sandbox(workers => 1);

my %far = (url => 'http://127.0.0.1:9/',
           scheduled_at => '2099-01-01T00:00:00Z');


# --- commits

my @answers = load(clients => 64)->run(
    (request_bytes('POST', '/jobs', \%far)) x $count);
my $commits = sql('SELECT count(DISTINCT xmin::text) FROM fliq.jobs');

is(scalar(grep { $_->{status} == 201 } @answers), $count, 'all were created');
is(sql('SELECT count(*) FROM fliq.jobs'), $count, 'as that many rows');
ok($commits < $count / 4, "in $commits commits");


# --- neighbours

my %taken = (%far, idempotency_key => 'taken');
api('POST', '/jobs', \%taken);

# kind => [status, what the answer holds, request]
my %kinds = (
    good => [201, qr/"body":"good \d+"/, sub ($i) {
        request_bytes('POST', '/jobs', { %far, body => "good $i" }) }],
    key => [201, qr/"idempotency_key":"key \d+"/, sub ($i) {
        request_bytes('POST', '/jobs',
                      { %far, idempotency_key => "key $i" }) }],
    replay => [201, qr/"idempotency_key":"taken"/, sub ($i) {
        request_bytes('POST', '/jobs', \%taken) }],
    conflict => [409, qr/"idempotency_conflict"/, sub ($i) {
        request_bytes('POST', '/jobs', { %taken, body => "other $i" }) }],
    past => [400, qr/"invalid_scheduled_at"/, sub ($i) {
        request_bytes('POST', '/jobs',
                      { %far, scheduled_at => '2020-01-01T00:00:00Z' }) }],
    soon => [201, qr/"body":"soon \d+"/, sub ($i) {
        request_bytes('POST', '/jobs', { url => target->url("/ok/$i"),
            body => "soon $i", scheduled_at => at(2) }) }],
    nul => [201, qr/\\u0000/, sub ($i) {
        request_bytes('POST', '/jobs', { %far, body => "a\0b" }) }],
    big => [201, qr/x{50000}/, sub ($i) {
        request_bytes('POST', '/jobs', { %far, body => 'x' x 50_000 }) }],
    wrong => [400, qr/"invalid_json"/, sub ($i) {
        request_bytes('POST', '/jobs', '{') }],
    read => [200, qr/"next_cursor"/, sub ($i) {
        request_bytes('GET', '/jobs?limit=1') }],
);
my @kinds = sort keys %kinds;
my @mixed = map { $kinds[$_ % @kinds] } 0 .. 999;
my $next = 0;
my @all = load(clients => 64)->each(sub {
    my $i = $next++;
    return $i < @mixed ? $kinds{$mixed[$i]}[2]->($i) : undef;
});

for my $kind (@kinds) {
    my ($status, $like) = @{ $kinds{$kind} };
    my @wrong = grep { $_->{status} != $status || $_->{body} !~ $like }
                map { $all[$_] } grep { $mixed[$_] eq $kind } 0 .. $#mixed;

    is(scalar(@wrong), 0, "$kind: $status") || diag($wrong[0]{body});
}

for my $kind (qw(good key soon)) {
    my @wrong = grep { $all[$_]{body} !~ /:"$kind $_"/ }
                grep { $mixed[$_] eq $kind } 0 .. $#mixed;

    is("@wrong", '', "$kind: each answer is the request's own");
}

ok(wait_until(sub { target->requests == 100 }, 20), 'those due soon are fired');

finish();
