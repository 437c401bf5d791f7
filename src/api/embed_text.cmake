# Writes OUTPUT, a source file that defines p402::api::OpenApiText(), from the text file INPUT.
# (g++ 12 has no #embed.)
file(READ "${INPUT}" text)
file(WRITE "${OUTPUT}.new" "#include \"api/api.h\"\n
namespace p402::api {\n
std::string_view OpenApiText() {
  static constexpr std::string_view kText = R\"p402_text(${text})p402_text\";
  return kText;
}\n
}  // namespace p402::api\n")
file(COPY_FILE "${OUTPUT}.new" "${OUTPUT}" ONLY_IF_DIFFERENT)
