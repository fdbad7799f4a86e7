# /alerts: an account's channels are made, listed, switched, renamed and
# deleted; what cannot be called is refused; a stranger sees none of it.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

sandbox();

my $hook = 'https://hooks.example.com/services/T0/B0/x';


sub create (%fields) {
    return api('POST', '/alerts',
               { type => 'slack', target => $hook, %fields });
}


sub patch ($channel, $body) {
    return api('PATCH', "/alerts/$channel->{id}", $body);
}


sub get ($channel) {
    return api('GET', "/alerts/$channel->{id}")->{json};
}


# --- create

is_deeply(api('GET', '/alerts')->{json}, { channels => [] }, 'none yet');

my $answer = create(name => 'on-call');
my $slack = $answer->{json};

is_status($answer, 201, 'a channel');
like($slack->{id}, qr/^alt_[0-9a-z]{26}\z/, 'an id');
is($answer->{headers}{location}, "/alerts/$slack->{id}", 'its Location');
is_deeply($slack, {
    id => $slack->{id}, type => 'slack', target => $hook, name => 'on-call',
    enabled => JSON::PP::true, created_at => $slack->{created_at},
    updated_at => $slack->{created_at},
}, 'all that it has');
is_deeply(get($slack), $slack, 'and has when it is read');

my $webhook = create(type => 'webhook', target => 'http://127.0.0.1:9/',
                     name => undef)->{json};
is_deeply([@$webhook{qw(type name)}], ['webhook', ''], 'one without a name');
is_status(create(target => 'https://x.example/' . 'y' x 2030), 201,
          'a long target');
is_status(create(name => "\x{e9}" x 128), 201, 'a long name');

my $list = api('GET', '/alerts')->{json};
is_deeply([keys %$list], ['channels'], 'the list has one member');
is(scalar @{ $list->{channels} }, 4, 'they are listed');
is_deeply($list->{channels}[3], $slack, 'as they are, newest first');


# --- what is refused

is_error(create(%{ $_->[1] }), 400, $_->[0], "create with @{[ %{ $_->[1] } ]}")
    for [invalid_type => { type => 'email' }],
        [invalid_type => { type => 'Slack' }],
        [invalid_type => { type => '' }], [invalid_type => { type => 1 }],
        [invalid_target => { target => 'x' }],
        [invalid_target => { target => 'mailto:a@example.com' }],
        [invalid_target => { target => 'http://169.254.169.254/' }],
        [invalid_target => { target => 'http://[fd00::1]/' }],
        [invalid_target => { target => 'https://u:p@example.com/' }],
        [invalid_target => { target => 'https://x.example/' . 'y' x 2031 }],
        [invalid_target => { target => ['x'] }],
        [invalid_name => { name => 'x' x 257 }],
        [invalid_name => { name => {} }], [invalid_name => { name => "\0" }];

is_error(create(type => undef), 400, 'invalid_type', 'no type');
is_error(create(target => undef), 400, 'invalid_target', 'no target');
like(create(type => 'email')->{json}{error}{message},
     qr/email is not supported yet/, 'the message tells of email');
is_error(api('POST', '/alerts', $_), 400, 'invalid_json', "'$_'")
    for '', 'null', '{"type":"slack"';


# --- change

for my $enabled (0, 1, 1) {
    my $value = $enabled ? JSON::PP::true : JSON::PP::false;

    $answer = patch($slack, { enabled => $value });
    is_status($answer, 204, "enabled $enabled");
    is($answer->{content}, '', 'without a body');
    is_deeply(get($slack)->{enabled}, $value, 'so it is');
}

is(get($slack)->{name}, 'on-call', 'the name stays');
ok(get($slack)->{updated_at} gt $slack->{updated_at}, 'updated_at moves');
is_status(patch($slack, { name => '', enabled => JSON::PP::false }), 204,
          'another name');
is_deeply([@{ get($slack) }{qw(name enabled)}], ['', JSON::PP::false],
          'both changed');

is_error(patch($slack, $_->[1]), 400, $_->[0], "change $_->[2]")
    for [invalid_enabled => { enabled => 'true' }, 'to a string'],
        [invalid_enabled => { enabled => 1 }, 'to a number'],
        [invalid_enabled => { enabled => undef }, 'to null'],
        [invalid_enabled => {}, 'of nothing'],
        [invalid_enabled => { enable => JSON::PP::true }, 'misspelt'],
        [invalid_name => { name => 'x' x 257 }, 'to a long name'],
        [invalid_json => '[]', 'that is an array'];


# --- tenants, scopes, ids

my $account = sandbox->fliqctl('account', 'create', '--name', 'other');
my ($stranger, $reader) =
    map { { Authorization => 'Bearer '
            . sandbox->fliqctl('token', 'create', '--account', @$_)
              ->{token} } }
    [$account->{id}], [sandbox->{account}, '--scope', 'read'];

for (['GET'], ['PATCH', { enabled => JSON::PP::true }], ['DELETE']) {
    my ($method, $body) = @$_;

    is_error(api($method, "/alerts/$slack->{id}", $body, $stranger), 404,
             'not_found', "a stranger's $method");
    is_error(api($method, "/alerts/$_", $body), 404, 'not_found',
             "$method of $_")
        for 'alt_' . '0' x 26, 'alt_', 'x', 'sched_' . '0' x 26;
    is_error(api($method, "/alerts/$slack->{id}", $body, $reader), 403,
             'forbidden', "$method to read only")
        if $method ne 'GET';
}

is_error(api('POST', '/alerts', { type => 'slack', target => $hook },
             $reader), 403, 'forbidden', 'POST to read only');
is_deeply(api('GET', '/alerts', undef, $stranger)->{json},
          { channels => [] }, 'a stranger sees none');


# --- delete

is_status(api('DELETE', "/alerts/$slack->{id}"), 204, 'deleted');
is_error(api('DELETE', "/alerts/$slack->{id}"), 404, 'not_found', 'again');
is_error(patch($slack, { enabled => JSON::PP::true }), 404, 'not_found',
         'it cannot be changed');
is(scalar @{ api('GET', '/alerts')->{json}{channels} }, 3,
   'the others are there');

finish();
