# A body means the same however it is written: blanks, escapes, numbers, what
# is read quickly and what is left to jansson; and what is not JSON is refused
# with the place where it goes wrong.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

sandbox(workers => 1);

my $far = '"scheduled_at":"2099-01-01T00:00:00Z"';
my $url = '"url":"http://127.0.0.1:9/"';


# What a create with this text in its body is answered, but for what is new
# with each job.
sub made ($text) {
    my $answer = api('POST', '/jobs', $text);
    my %job = %{ $answer->{json} // {} };

    delete @job{qw(id created_at updated_at)};
    return { status => $answer->{status}, job => \%job };
}


# --- the same in other words: an array or a far code point is for jansson

my @same = (
    qq({$url,$far,"max_retries":3,"body":"a\\"b\\\\c\\/d\\b\\f\\n\\r\\t"}),
    qq({$url,$far,"headers":{"X-A":"1","X-B":""},"timeout_seconds":10}),
    qq({$url,$far,"headers":{},"body":"","max_retries":0}),
    qq( { $url , \t$far\r\n, "body" : null , "headers":{ "X-A" : "b" } } ),
    qq({$url,$far,"unknown":{"a":{"b":true,"c":false}},"more":12345678}),
    qq({$url,$far,"body":"{\\"a\\":[1,2,{\\"b\\":\\"\\\\n\\"}]}"}),
    qq({$url,$far,"body":"@{['x' x 5000]}\\n@{['y' x 5000]}"}),
    qq({$url,$far,"":"","@{['n' x 100]}":1}),
    qq({$url,$far,"max_retries":3.0}),
    qq({$url,$far,"max_retries":20}),
    qq({$url,$far,"body":"\x7f"}),
);

for my $i (0 .. $#same) {
    my $slow = $same[$i] =~ s/\A( *)\{/$1\{"list":[1],/r;
    my $quick = made($same[$i]);

    is($quick->{status}, 201, "text $i is taken");
    is_deeply($quick, made($slow), "text $i means what jansson reads");
}

is(api('POST', '/jobs', $same[0])->{json}{body}, qq(a"b\\c/d\b\f\n\r\t),
   'escapes');


# --- numbers that are no integers, or too large

for my $number ('-1', '21', '1.5', '1e30', '123456789012345678901234567890',
                '"3"', 'true', '{}') {
    is_error(api('POST', '/jobs', qq({$url,$far,"max_retries":$number})),
             400, 'invalid_max_retries', "max_retries $number");
}


# --- no JSON, or not an object

my $good = qq({$url,$far,"max_retries":3,"headers":{"X-A":"\\n"},"x":true});

my @bad = (
    map({ substr $good, 0, $_ } 1 .. length($good) - 1),
    "$good}", "$good,", "$good 1", "[$good]", '1', '"a"', 'null', '{,}',
    qq({$url,$far,}), qq({$url,$far,"a"}), qq({$url,$far,"a":}),
    qq({$url,$far,"a":01}), qq({$url,$far,"a":1x}), qq({$url,$far,"a":truex}),
    qq({$url,$far,"a":"\\x"}), qq({$url,$far,"a":"\n"}), qq({$url,$far,a:1}),
    qq({$url,$far,"a":"\\u12"}), qq({$url,$far,"a":-}), qq({$url $far}),
    qq({$url,$far,$url}), qq({$url,$far,"headers":{"A":"1","A":"2"}}),
    qq({$url,$far,"a":"\xff"}), qq({$url,$far,"a":'b'}),
);

my @taken = grep {
    my $answer = api('POST', '/jobs', $_);
    $answer->{status} != 400
        || $answer->{json}{error}{code} ne 'invalid_json'
} @bad;

is("@taken", '', 'none of ' . @bad . ' others is taken');
like(api('POST', '/jobs', "{$url,\n\"a\":01}")->{content}, qr/line 2, column/,
     'the answer says where');

finish();
