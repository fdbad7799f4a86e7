/*
 * fliq_json: what is JSON and what is not.
 */

#include "unit.h"

#include "fliq_json.h"

#include <jansson.h>


static void
test_good(void **state)
{
    size_t  i;

    static const char *const  good[] = {
        "0", "-0", "1", "-1", "10", "0.5", "-1.25e+3", "1E5", "1e-400",
        "1e400", "123456789012345678901234567890", "\"\"", "\"a\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uD800\\uabCD\"",
        "\"\xc3\xa9 \x7f\"", "true", "false", "null", " \t\r\n1 \t\r\n",
        "[]", "{}", "[ ]", "{ }", "[1]", "[1,2]", "[ 1 , 2 ]", "[[],[[]],{}]",
        "{\"a\":1}", "{ \"a\" : 1 , \"b\" : [ ] }", "{\"\":{\"\":{}}}",
        "{\"a\":1,\"a\":2}", "[{\"a\":[{\"b\":null}]},true]"
    };

    (void) state;

    for (i = 0; i < unit_count(good); i++) {
        if (!fliq_json_valid(unit_str(good[i]))) {
            unit_fail("\"%s\" is not taken", good[i]);
        }
    }
}


static void
test_bad(void **state)
{
    size_t  i;

    static const char *const  bad[] = {
        "", " ", "a", "tru", "truee", "True", "nul", "NaN", "Infinity", "01",
        "-", "-a", "+1", "1.", ".5", "1e", "1e+", "1.e5", "0x1", "1 2",
        "\"", "\"a", "\"\\\"", "\"\\a\"", "\"\\u12\"", "\"\\u123g\"",
        "\"\\u\x11\x12\x13\x14\"", "\"\n\"", "\"\t\"", "\"\\", "\"\\u12",
        "'a'", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "[1]]",
        "{", "}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}",
        "{a:1}", "{\"a\" 1}", "{1:1}", "{\"a\":1]", "{\"a\"}", "{,}",
        "{\"a\":1 \"b\":2}", "[\"a\":1]", "1,", "{}{}", "/**/1",
        "\xef\xbb\xbf" "1", "1\x0b"
    };

    (void) state;

    for (i = 0; i < unit_count(bad); i++) {
        if (fliq_json_valid(unit_str(bad[i]))) {
            unit_fail("\"%s\" is taken", bad[i]);
        }
    }

    assert_false(fliq_json_valid(unit_bytes("1\0", 2)));
    assert_false(fliq_json_valid(unit_bytes("\"\0\"", 3)));
    assert_false(fliq_json_valid(unit_bytes("\"\\\0\"", 4)));
    assert_false(fliq_json_valid(unit_bytes("\"\\u000\0\"", 8)));
}


/* ${n} arrays, or objects, within each other. */
static int
nested(size_t n, int object)
{
    int     good;
    char   *text, *p;
    size_t  i;

    text = malloc(7 * n + 1);
    assert_non_null(text);

    p = text;

    for (i = 0; i < n; i++) {
        p = stpcpy(p, object ? "{\"a\":" : "[");
    }

    p = stpcpy(p, "1");

    for (i = 0; i < n; i++) {
        p = stpcpy(p, object ? "}" : "]");
    }

    good = fliq_json_valid(unit_bytes(text, (size_t) (p - text)));
    free(text);

    return good;
}


static void
test_depth(void **state)
{
    (void) state;

    assert_true(nested(FLIQ_JSON_DEPTH, 0));
    assert_true(nested(FLIQ_JSON_DEPTH, 1));
    assert_false(nested(FLIQ_JSON_DEPTH + 1, 0));
    assert_false(nested(FLIQ_JSON_DEPTH + 1, 1));
    assert_false(nested(FLIQ_JSON_DEPTH * 100, 0));
}


/* Text of JSON's own pieces is judged as jansson judges it. */
static void
test_pieces(void **state)
{
    int           i, n, good, taken;
    char          text[128];
    json_t       *json;
    fliq_str_t    view;

    static const char *const  pieces[] = {
        "{", "}", "[", "]", ",", ":", "\"a\"", "\"\\n\"", "1", "-2.5",
        "true", "null", " ", "{\"b\":", "[1,", "},", "],", "0", "\"", "\\"
    };

    (void) state;

    taken = 0;

    for (i = 0; i < 300000; i++) {
        text[0] = '\0';

        for (n = (int) (unit_random() % 9) + 1; n > 0; n--) {
            strcat(text, pieces[unit_random() % unit_count(pieces)]);
        }

        view = unit_str(text);
        good = fliq_json_valid(view);

        json = json_loadb((char *) view.data, view.len,
                          JSON_DECODE_ANY|JSON_DECODE_INT_AS_REAL, NULL);

        if (good != (json != NULL)) {
            unit_fail("\"%s\": %d", text, good);
        }

        json_decref(json);
        taken += good;
    }

    assert_true(taken > 1000);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_pieces)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
