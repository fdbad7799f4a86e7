# What a push, a resume or a replay makes ready to be sent is sent at once:
# the worker that took the request tells its dispatcher, which would look by
# itself once in a minute here.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

sandbox(http_conf => "fliq_dispatcher on poll=60s;\n");


sub create ($path) {
    return api('POST', '/buffers', {
        name => $path, url => target->url($path), rate_limit => 1000,
        max_retries => 0,
    })->{json};
}


sub post ($buffer, $path) {
    return api('POST', "/buffers/$buffer->{id}$path");
}


sub is_sent ($path, $n, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return ok(wait_until(sub { target->to($path) == $n }, 20), $name);
}


sub is_ended ($buffer, $item, $status) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return ok(wait_until(sub {
        api('GET', "/buffers/$buffer->{id}/items/$item->{id}")
            ->{json}{status} eq $status
    }, 20), "it has $status");
}


my $good = create('/ok/hint');

for my $n (1 .. 3) {
    my $item = post($good, '/items')->{json};
    is_sent('/ok/hint', $n, "push $n is sent");
    is_ended($good, $item, 'completed');
}

post($good, '/pause');
is_status(post($good, '/items'), 201, 'a push while it is paused');
post($good, '/resume');
is_sent('/ok/hint', 4, 'it is sent at the resume');

my $bad = create('/status/500');
my $item = post($bad, '/items')->{json};
is_sent('/status/500', 1, 'one that fails');
is_ended($bad, $item, 'failed');
is_status(post($bad, "/items/$item->{id}/replay"), 201, 'a replay');
is_sent('/status/500', 2, 'is sent, too');

finish();
