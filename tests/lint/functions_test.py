import functions


def _body(lines):
    return "  x();\n" * lines


def _messages(text):
    return [message for _, message in functions.measure(text)]


def test_a_function_of_the_limit_passes_and_one_more_line_does_not():
    fits = "void F(int a) {\n" + _body(functions.FUNCTION_LINES - 2) + "}\n"
    assert functions.measure(fits) == []
    over = "void F(int a) {\n" + _body(functions.FUNCTION_LINES - 1) + "}\n"
    assert functions.measure(over) == [(1, "F has 71 lines; a function has at most 70")]


def test_a_method_in_a_class_and_a_test_are_functions():
    body = _body(80)
    assert _messages("class A : public B {\n public:\n  void F() const {\n" + body + "}\n};\n") == [
        "F has 82 lines; a function has at most 70"]
    assert "TEST(A, B1_c)" in _messages("TEST(A, B1_c) {\n" + body + "}\n")[0]


def test_a_template_and_a_constructor_are_functions():
    body = _body(80)
    assert _messages("template <class T, class U = std::vector<int>>\nT F(U u) {\n" + body + "}\n")
    assert _messages("A::A(int b) : b_(b), c_{b} {\n" + body + "}\n")


def test_braces_among_the_parameters_do_not_end_a_function():
    body = _body(80)
    for text in ("void F(Options o = {}, int b = {}) {\n", "auto F(T a = T{1}) -> int {\n"):
        assert _messages(text + body + "}\n") == ["F has 82 lines; a function has at most 70"]
    text = "void F() {\n if (a == B{1}) {\n if (Any(c, [](int d) { return d; })) {\n" \
           " while (c) {\n if (d) {\n }\n }\n }\n }\n}\n"
    assert _messages(text) == ["nested deeper than 3 in F"]


def test_a_class_a_namespace_and_a_table_may_be_long():
    lines = "  int x;\n" * 100
    assert _messages("namespace a::b {\n" + lines + "}\n") == []
    assert _messages("struct alignas(64) A {\n" + lines + "};\n") == []
    assert _messages('extern "C" {\n' + lines + "}\n") == []
    assert _messages("constexpr int kTable[] = {\n" + "  1,\n" * 100 + "};\n") == []
    assert _messages("enum class E : uint8_t {\n" + "  kA,\n" * 100 + "};\n") == []


def test_a_file_of_the_limit_passes_and_one_more_line_does_not():
    assert functions.check({"src/a/b.cc": "\n" * 800}) == []
    assert "801 lines" in functions.check({"src/a/b.cc": "\n" * 801})[0]


def _nested(depth):
    return "void F() {\n" + "if (a) {\n" * depth + "x();\n" + "}\n" * depth + "}\n"


def test_nesting_of_three_passes_and_four_does_not():
    assert functions.measure(_nested(3)) == []
    assert _messages(_nested(4)) == ["nested deeper than 3 in F"]


def test_else_and_loops_nest():
    text = ("void F() {\n for (;;) {\n while (a) {\n if (b) {\n } else {\n do {\n } while (c);\n"
            " }\n }\n }\n}\n")
    assert _messages(text) == ["nested deeper than 3 in F"]


def test_a_lambda_starts_anew():
    text = ("void F() {\n if (a) {\n if (b) {\n Post([this, x = 1](int y) mutable {\n if (c) {\n"
            " if (d) {\n if (e) {\n }\n }\n }\n });\n }\n }\n}\n")
    assert functions.measure(text) == []


def test_comments_and_literals_do_not_count():
    text = 'void F() {\n // { {{\n const char* a = "{{{ \\" {";\n char b = \'{\';\n' \
           ' auto c = R"({ { {)";\n int d = 1\'000;\n}\nvoid G() {\n' + _body(80) + "}\n"
    assert functions.measure(text) == [(8, "G has 82 lines; a function has at most 70")]


def test_macros_do_not_unbalance():
    text = "#define A(x) \\\n  if (x) {\n#if B\nvoid F() {\n#endif\n}\nvoid G() {\n" + _body(80) + "}\n"
    assert "G has 82 lines" in _messages(text)[0]
