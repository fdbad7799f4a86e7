package Fliq::Contract;

# What the files of t/contract share.  Each holds one route to what is
# promised of it, in rows that read like a table:
#
#   use Fliq::Contract;
#   use Test::Nginx::Socket 'no_plan';
#
#   route('POST /alerts', allow => 'GET, HEAD, POST, OPTIONS',
#         body => { type => 'slack', target => 'https://example.com/' });
#   run_tests();
#
# Sections of a block, beside those of Test::Nginx; columns are two blanks or
# more apart, and an indented line goes on with the row before:
#
#   --- always: access methods ids body no_body page credit dialects
#       What routes have in common; see the functions of these names.
#   --- known: url headers ...
#       The rows of Fliq::Contract::Fields for these fields.
#   --- fields
#       FIELD  VALUE  MESSAGE  [STATUS CODE]
#       The body with this field set so is refused: 400 invalid_FIELD, unless
#       the row says otherwise, and the message matches.
#   --- accepts
#       FIELD  VALUE  [SHOWN]
#       It is taken, and the answer has the field with this value; - when it
#       has no such field.
#   --- rows
#       [@WHO] REQUEST  STATUS [CODE]  [PATTERN]
#       REQUEST is "METHOD /path [body]", or "?query" or "{body}" of the
#       route.  PATTERN is about the message where there is a CODE, else about
#       the whole answer.
#
# A VALUE is JSON, where "text" x N is as good as a string, or absent.  {job}
# in a path stands for the id of that name in ids.  WHO is one of the tenants
# below.

use strict;
use warnings;

use Exporter qw(import);
use Fcntl qw(LOCK_EX);
use HTTP::Tiny;
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use POSIX qw(strftime);
use Test::More ();
use Time::HiRes qw(sleep time);

BEGIN {
    # Blocks that want the same configuration share an nginx, and files that
    # "make test" runs a database.
    $ENV{TEST_NGINX_FORCE_RESTART_ON_TEST} //= 0;
    $Fliq::Nginx::share = 1;
}

use Fliq::Nginx;
use Fliq::Contract::Fields;

our @EXPORT = (@Fliq::Nginx::EXPORT, qw(route made tenant job_with job_tried
    item_with));

my %route;
my $made = 0;                   # what is unique
my %expected;                   # by block: what each answer must be

$Fliq::Nginx::http_config = <<'END_HTTP';
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_dispatcher off;
    fliq_target_allow 127.0.0.0/8;
END_HTTP

$Fliq::Nginx::config = <<'END_CONFIG';
    location / {
        fliq_api;
    }

    location /sdk/ {
        fliq_api dialect=sdk;
    }

    location /narrow/ {
        fliq_api;
        client_max_body_size 8k;
    }
END_CONFIG

Test::Nginx::Util::no_long_string();
Test::Nginx::Util::add_block_preprocessor(\&_complete);


# route(METHOD PATTERN, option => value ...):
#
#   allow => TEXT     what Allow says
#   query => TEXT     what a good request needs of a query
#   body => HASH      a good body; without it the route reads none
#   success => N      the status of a good answer (201 for a POST that has a
#                     body, 204 for a DELETE, else 200)
#   ids => HASH       the ids in the pattern
#   unique => NAME    a member of the body that no two requests may share
#   optional_body => 1  a request without one is good, too
#   writes => 0|1     whether it takes the scope write (all but a GET)
#   public => 1       no token is needed
sub route {
    my ($what, %options) = @_;
    my ($method, $path) = split / /, $what;

    %route = (
        method => $method, path => $path, query => '', ids => {},
        success => $method eq 'DELETE' ? 204
                   : $method eq 'POST' && $options{body} ? 201 : 200,
        writes => $method !~ /^(?:GET|HEAD)\z/, %options);
}


# made(path, body): what a POST has made, before the tests.
sub made {
    my ($path, $body) = @_;
    my $answer = HTTP::Tiny->new->post(sandbox->{url} . $path, {
        headers => { Authorization => 'Bearer ' . token() },
        content => json($body // {}),
    });

    die "POST $path: $answer->{content}\n" if !$answer->{success};
    return ($answer->{content} // '') eq ''
        ? undef : JSON::PP->new->utf8->decode($answer->{content});
}


# job_with(status, fields): the id of a job that waits (scheduled), that runs
# until the test ends, or of which this has come.
sub job_with {
    my ($status, %fields) = @_;

    return _running(%fields) if $status eq 'running';

    my $id = job_id(%fields);
    my $uuid = sandbox->sql("SELECT max(id::text)
                               FROM fliq.jobs WHERE status = 'waiting'
                                AND fliq.id_text('job', id) = '$id'");

    sandbox->sql("DELETE FROM fliq.due WHERE job_id = '$uuid';
                  UPDATE fliq.jobs SET status = '$status', due_at = NULL,
                         completed_at = now() WHERE id = '$uuid'")
        if $status ne 'scheduled';

    return $id;
}


# job_tried(): the id of one that failed, since nobody listens where it was
# sent.
sub job_tried {
    my $id = _job_soon();

    for (1 .. 1000) {
        my $answer = HTTP::Tiny->new->get(sandbox->{url} . "/jobs/$id", {
            headers => { Authorization => 'Bearer ' . token() } });

        return $id if $answer->{content} =~ /"status":"failed"/;
        sleep 0.02;
    }

    die "$id does not fail\n";
}


# A job that is due at once; a busy machine may take some attempts for one
# that is still in the future.
sub _job_soon {
    my $id;

    for my $ahead (0.2, 1, 5) {
        my $usec = int((time + $ahead) * 1e6);
        my $at = strftime('%Y-%m-%dT%H:%M:%S', gmtime int($usec / 1e6))
                 . sprintf '.%06dZ', $usec % 1_000_000;

        $id = eval { job_id(@_, scheduled_at => $at) };
        return $id if defined $id;
    }

    die $@;
}


# The sandbox's own nginx fires it, at one that does not answer.
sub _running {
    our @listeners;
    my $listener = IO::Socket::INET->new(Listen => 1, ReuseAddr => 1,
        LocalAddr => '127.0.0.1') or die "listen: $!\n";

    push @listeners, $listener;
    my $id = _job_soon(timeout_seconds => 600, @_,
        url => 'http://127.0.0.1:' . $listener->sockport . '/');

    IO::Select->new($listener)->can_read(20) or die "$id does not run\n";
    push @listeners, $listener->accept;
    return $id;
}


# item_with(buffer, status, fields): the id of an item that waits (pending) in
# a buffer that is paused, or of which this has come.
sub item_with {
    my ($buffer, $status, %fields) = @_;
    my $id = made("/buffers/$buffer->{id}/items", \%fields)->{id};

    sandbox->sql("WITH gone AS (
                      UPDATE fliq.buffer_items
                         SET status = '$status', completed_at = now()
                       WHERE fliq.id_text('item', id) = '$id'
                   RETURNING buffer_id)
                  UPDATE fliq.buffer_heads SET $status = $status + 1
                   WHERE buffer_id IN (SELECT buffer_id FROM gone)")
        if $status ne 'pending';

    return $id;
}


# --- tenants


my %tenant_options = (
    stranger => [], suspended => [],
    broke => ['--plan', 'paid'],
    limited => ['--plan', 'free', '--credits', 5, '--daily-limit', 0],
);


# tenant(name): its token.
#
#   reader     our account's, with the scope read
#   revoked    our account's, but revoked
#   stranger   of another account
#   suspended  of one that is suspended
#   broke      of one that has no credits
#   limited    of one that has reached its daily limit
sub tenant {
    my ($name) = @_;
    our %tokens;

    return $tokens{$name} //= $tenant_options{$name}
        ? _shared($name) : _own($name);
}


sub _own {
    my ($name) = @_;
    my $made = _token(sandbox->{account},
                      $name eq 'reader' ? ('--scope', 'read') : ());

    sandbox->fliqctl('token', 'revoke', $made->{id}) if $name eq 'revoked';
    return $made->{token};
}


# The files that share a database share these, too.
sub _shared {
    my ($name) = @_;
    my $file = sandbox->{dir} . "/tenant-$name";

    open my $in, '+>>', $file or die "$file: $!\n";
    flock $in, LOCK_EX;
    seek $in, 0, 0;
    my $token = <$in>;
    return $token if defined $token;

    my $account = sandbox->fliqctl('account', 'create', '--name', $name,
                                   @{ $tenant_options{$name} })->{id};
    sandbox->sql("UPDATE fliq.accounts SET suspended_at = now()
                   WHERE name = 'suspended'") if $name eq 'suspended';

    $token = _token($account)->{token};
    print {$in} $token;
    close $in;
    return $token;
}


sub _token {
    return sandbox->fliqctl('token', 'create', '--account', @_);
}


# --- what every route answers


# What is no token, one that may not, an account that may not.
sub access {
    my $good = token();
    my $unknown = 'fliq_sk_' . '0' x 40;
    my %no_token = (
        'no token'           => 'X-Nothing: x',
        'no scheme'          => "Authorization: $good",
        'another scheme'     => "Authorization: Basic $good",
        'nothing but Bearer' => 'Authorization: Bearer',
        'garbage'            => 'Authorization: Bearer garbage',
        'a bad checksum'     => "Authorization: Bearer $unknown",
        'a token and more'   => "Authorization: Bearer ${good}x",
        'a revoked token'    => bearer(tenant('revoked')),
    );
    my @rows = map { _refused($_, 401, 'unauthorized', headers =>
                     $no_token{$_}, header => 'WWW-Authenticate: Bearer.*') }
               sort keys %no_token;

    push @rows, _refused('a suspended account', 403, 'forbidden',
                         headers => bearer(tenant('suspended')));

    push @rows, $route{writes}
        ? _refused('a token that reads', 403, 'forbidden',
                   headers => bearer(tenant('reader')))
        : _row('a token that reads', status => $route{success},
               headers => bearer(tenant('reader')));

    return @rows;
}


# The methods that the path has not, and OPTIONS and HEAD.
sub methods {
    my $allow = $route{allow};
    my $path = _path();
    my $header = "Allow: $allow";
    my @others = grep { $allow !~ /\b$_\b/ } qw(GET POST PUT PATCH DELETE);

    my @rows = map { _refused("$_ of the path", 405, 'method_not_allowed',
                     request => "$_ $path", header => $header,
                     message => $allow) } @others, 'BREW';

    push @rows, _row('OPTIONS, without a token', status => 204,
                     request => "OPTIONS $path", headers => 'X-Nothing: x',
                     header => $header, like => qr/^\z/);
    push @rows, _row('HEAD', request => "HEAD $path", like => qr/^\z/,
                     status => $route{success})
        if $route{method} eq 'GET';

    return @rows;
}


# Ids that there cannot be, that there are not, and another account's.
sub ids {
    my @rows;

    for my $name ($route{path} =~ /\{(\w+)\}/g) {
        my $id = $route{ids}{$name};
        my ($prefix, $digits) = $id =~ /^([a-z]+_)(.+)\z/;
        my %stray = (
            'an unknown id'        => $prefix . '0' x 26,
            'no id at all'         => 'x',
            'a prefix alone'       => $prefix,
            'an id of other things' => "other_$digits",
            'an id without prefix' => $digits,
            'a short id'           => substr($id, 0, -1),
            'a long id'            => "${id}0",
            'an id in capitals'    => uc $id,
            'an id too large'      => $prefix . '8' . '0' x 25,
            'an encoded slash'     => "$id%2F",
            'a very long id'       => 'x' x 3000,
        );

        push @rows, map {
            local $route{ids} = { %{ $route{ids} }, $name => $stray{$_} };
            _refused("{$name}: $_", 404, 'not_found');
        } sort keys %stray;
    }

    return @rows, _refused("another account's id", 404, 'not_found',
                           headers => bearer(tenant('stranger')));
}


# Bodies that are no JSON object, and one that is too long to be looked at.
sub body {
    my @bad = ('', '{', '}', '[]', '[{}]', 'null', '5', '"text"', 'true',
        'a=b', '{"a":}', '{"a":1,}', "{'a':1}", '{"a":1} x', '{"a":01}',
        "{\"a\":1\0}", "{\"a\":[1\0,2]}", "{\"a\":1}\0",
        '{"a":1}{"b":2}', '{"a":NaN}', "{\"a\":\"\xff\"}",
        "{\"a\":\"\xc0\xaf\"}", "{\"a\":\"\x01\"}", '{"a":"\ud800"}',
        '{"a":1,"a":2}', '{"b":{"a":1,"a":1}}',
        '{"a":' . '[' x 5000);

    shift @bad if $route{optional_body};
    return (
        map({ _refused('the body ' . substr($_, 0, 30), 400, 'invalid_json',
                       body => $_) } @bad),
        _refused('a long body', 413, 'body_too_large', request =>
                 "$route{method} /narrow" . _path() . "\n" . 'x' x 9000));
}


# A body is no matter where none is read.
sub no_body {
    return map { _row("the body $_", status => $route{success}, body => $_) }
           '{}', '{nonsense', '[]';
}


# limit and cursor of a list.
sub page {
    my @limits = ('0', '101', '-1', '1.5', 'x', '1x', '%201', '0x10',
                  '99999999999', '18446744073709551617');
    my @cursors = ('x', '0', 'null', '%00', 'A' x 22, 'x' x 2000,
                   "'%20OR%20''='");

    return (
        map({ _refused("limit=$_", 400, 'invalid_limit',
              message => '^limit must be an integer from 1 to 100$',
              query => "?limit=$_") } @limits),
        map({ _refused('cursor=' . substr($_, 0, 30), 400, 'invalid_cursor',
              query => "?cursor=$_") } @cursors),
        map({ _row($_, query => $_, like => qr/"next_cursor":/) }
            '?limit=1', '?limit=100', '?limit=%31', '?limit=&cursor=',
            '?colour=red&&=&x', '?'));
}


# What passes the gate of credit.
sub credit {
    return (
        _refused('no credits', 402, 'insufficient_credits',
                 headers => bearer(tenant('broke'))),
        _refused('the daily limit', 429, 'daily_limit_reached',
                 headers => bearer(tenant('limited')),
                 header => 'Retry-After: [1-9]\d{0,4}'));
}


# The two shapes of an error.
sub dialects {
    my $path = _path();
    my %request = (
        headers => $route{public} ? bearer() : 'X-Nothing: x');
    my ($method, $status, $code) = $route{public}
        ? ('BREW', 405, 'method_not_allowed')
        : ($route{method}, 401, 'unauthorized');

    return (
        _row('an error of the reference', %request, status => $status,
             request => "$method $path", like =>
             qr/^\{"error":\{"code":"$code","message":"[^\n]+"\}\}\z/),
        _row('an error of the library', %request, status => $status,
             request => "$method /sdk$path",
             like => qr/^\{"error":"[^{}\n]+","code":"$code"\}\z/));
}


# --- rows


# What is asked, and what the answer must be.
sub _row {
    my ($name, %row) = @_;

    return { name => $name, request => _request(%row), status => 200,
             headers => bearer(), %row,
             like => $row{like} // qr/(?s:.*)/ };
}


sub _refused {
    my ($name, $status, $code, %row) = @_;
    my $message = $row{message} // '.';

    return _row($name, status => $status, %row, like =>
                sub { _is_error($_[0], $code, $message) });
}


sub _is_error {
    my ($body, $code, $message) = @_;
    my $json = eval { JSON::PP->new->utf8->decode($body) } // return 0;
    my $error = ref $json eq 'HASH' ? $json->{error} : '';

    return ref $error eq 'HASH'
           && join(' ', sort keys %$json) eq 'error'
           && join(' ', sort keys %$error) eq 'code message'
           && $error->{code} eq $code && $error->{message} =~ /$message/;
}


sub _request {
    my (%row) = @_;

    return $row{request} if defined $row{request};

    my $line = "$route{method} " . _path($row{query} // $route{query});
    my $body = $row{body} // ($route{body} ? _object($route{body}) : '');

    return $body eq '' ? $line : "$line\n$body";
}


# The path of the route, or of another pattern, with its ids.
sub _path {
    my ($query, $path) = @_;

    $path //= $route{path};
    $path =~ s/\{(\w+)\}/$route{ids}{$1} \/\/ die "no id {$1}\n"/ge;
    return $path . ($query // '');
}


# An object with these members, one of them as the text says.
sub _object {
    my ($members, $field, $text) = @_;
    my %text = map { ($_ => json($members->{$_})) } keys %$members;
    my $unique = $route{unique};

    $text{$unique} = json('u' . ++$made) if defined $unique;
    delete $text{$field} if defined $field;
    my @all = map { json($_) . ":$text{$_}" } sort keys %text;
    push @all, json($field) . ":$text" if defined $text;

    return '{' . join(',', @all) . '}';
}


# The JSON of a VALUE; undef when it is absent.
sub _value {
    my ($text) = @_;

    return undef if $text eq 'absent';
    return $text =~ s/"([^"]*)" x (\d+)/json($1 x $2)/ger;
}


sub _fields_rows {
    return map {
        my ($field, $value, $message, $other) = split /\s{2,}/;
        my ($status, $code) = split / /, $other // "400 invalid_$field";

        _refused("$field: " . substr($value, 0, 60), $status, $code,
                 message => $message // '.',
                 body => _object($route{body}, $field, _value($value)));
    } @_;
}


sub _accepts_rows {
    return map {
        my ($field, $value, $shown) = split /\s{2,}/;
        my $text = $shown // _value($value) // 'null';
        my $like = $text eq '-' ? qr/^(?!.*"$field":)/s
                                : qr/"$field":\Q$text\E[,}]/;

        _row("$field: $value", status => $route{success},
             body => _object($route{body}, $field, _value($value)),
             $route{success} == 204 ? () : (like => $like));
    } @_;
}


sub _rows_rows {
    return map {
        my ($what, $answer, $pattern) = split /\s{2,}/;
        my ($who) = $what =~ s/^\@(\w+) // ? $1 : undef;
        my ($status, $code) = split / /, $answer;
        my @row = (_asked($what), $who ? (headers => bearer(tenant($who)))
                                       : ());

        defined $code
            ? _refused($what, $status, $code, @row, message => $pattern)
            : _row($what, status => $status, @row,
                   like => defined $pattern ? qr/$pattern/s : undef);
    } @_;
}


sub _asked {
    my ($what) = @_;

    return (query => $what) if $what =~ /^\?/;
    return (body => $what) if $what =~ /^\{/;

    my ($method, $path, $body) = split / /, $what, 3;
    $path = _path('', $path);
    return (request => "$method $path" . (defined $body ? "\n$body" : ''));
}


# --- blocks


my %group = (
    access => \&access, methods => \&methods, ids => \&ids, body => \&body,
    no_body => \&no_body, page => \&page, credit => \&credit,
    dialects => \&dialects,
);


# The rows of a block become what Test::Nginx knows.
sub _complete {
    my ($block) = @_;
    my @rows;

    # An nginx is started anew for another config only.
    $block->set_value(config => ($block->config // $Fliq::Nginx::config)
                                . $block->http_config =~ s/^/# /gmr)
        if defined $block->http_config;

    push @rows, map { ($group{$_} // die "no group $_\n")->() }
                split ' ', $block->always // '';
    push @rows, _fields_rows(map { known_field($_, $route{method}) }
                             split ' ', $block->known // '');
    push @rows, _fields_rows(_lines($block->fields));
    push @rows, _accepts_rows(_lines($block->accepts));
    push @rows, _rows_rows(_lines($block->rows));
    return if !@rows;

    $expected{$block} = \@rows;
    $block->set_value(request => [map { $_->{request} } @rows]);
    $block->set_value(more_headers => [map { $_->{headers} } @rows]);
    $block->set_value(error_code => [map { $_->{status} } @rows]);
    $block->set_value(response_headers_like => [map { _headers($_) } @rows]);
}


sub _lines {
    my ($text) = @_;

    return grep { /\S/ } split /\n/, ($text // '') =~ s/\n +/  /gr;
}


sub _headers {
    my ($row) = @_;
    my @headers = ("X-Request-ID: .+");

    push @headers, 'Content-Type: application/json' if $row->{status} != 204;
    push @headers, $row->{header} if $row->{header};
    return join "\n", @headers;
}


Test::Nginx::Socket::add_response_body_check(sub {
    my ($block, $body, $i) = @_;
    my $row = ($expected{$block} // return)->[$i];
    my $name = $block->name . " - $row->{name}";
    my $like = $row->{like};
    my $fits = ref $like eq 'CODE' ? $like->($body) : $body =~ $like;

    Test::More::ok($fits, $name)
        || Test::More::diag("$row->{request}\n$body");
}) if require Test::Nginx::Socket;


1;
