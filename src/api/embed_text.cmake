# Writes OUTPUT, a source file that defines p402::api::OpenApiText(), from the text file INPUT.
# (g++ 12 has no #embed, and no compiler must take a literal of more than 65,536 characters.)
file(READ "${INPUT}" bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
file(WRITE "${OUTPUT}.new" "#include \"api/api.h\"\n
namespace p402::api {\n
std::string_view OpenApiText() {
  static constexpr unsigned char kText[] = {${bytes}};
  return {reinterpret_cast<const char*>(kText), sizeof kText};
}\n
}  // namespace p402::api\n")
file(COPY_FILE "${OUTPUT}.new" "${OUTPUT}" ONLY_IF_DIFFERENT)
